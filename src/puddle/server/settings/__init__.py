"""The settings of a server, with defaults that need nothing set.

Three places, the later ones winning: `/etc/puddle/puddle.toml` (or the file `--config` names), environment variables
(`PUDDLE_SERVER__PORT` is `port` in `[server]`), and the command line. An unknown key is refused, not ignored.

    sections     the tables of the file, and what their values may be
    loading      `load`: reads the three places; `Settings` is what comes of it
    describing   every key with its default and meaning
"""

from puddle.server.settings.loading import Settings, SettingsRefused, described, load
from puddle.server.settings.sections import Size

__all__ = ["Settings", "SettingsRefused", "Size", "described", "load"]
