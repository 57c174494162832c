"""H2O-3: a cloud of one node, behind a login, on the machine of a system.

Ports. H2O-3 listens on two: people and programs speak to one, its nodes among themselves to the other, which has to be
the higher number. So we ask for "http" and "internal", and use the lower for the web, whichever it is.

Options. The parts that change (memory, ports, what the configuration says) are in `h2o3.args`, a file that Java itself
reads as part of its command line: a machine that comes up by itself runs with what was last put there.

Alone. H2O-3 looks around by multicast for others of its name, to be one cloud with them: with that of a test beside it,
or of somebody who wants to see what is in it. It is given a list of its nodes instead, on which it is alone.

Login. HTTP Basic, from a hashed file; nothing secret is in a file, on a command line or in the environment.

Temporary files. Java unpacks 150 MB of libraries at each start, and leaves them where it is killed: on the data disk,
where they go with the system, and not in a folder that all machines share.

Reading how it stands does not make it look used: of its handlers only those that change something do, and jobs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from puddle.server.clouds.base import Endpoint, Recipe, Service, Shell, StepFailed
from puddle.server.domain.facts import Idleness, ProductFacts
from puddle.server.products.asking import PATIENCE, Site, Unanswered, ask, inside, truth, whole
from puddle.server.products.base import Experiment, SetUp
from puddle.server.products.h2o3_image import H2O3Image, buildable
from puddle.server.products.h2o3_options import LONGEST, Options, Unusable, read_options
from puddle.server.products.logins import realm
from puddle.server.products.running import has_ended, keep_running, needs, put, read_text, runs
from puddle.server.products.running import inside as get_in

CONFIG = "h2o3.toml"
ARGUMENTS = "h2o3.args"
NODES = "h2o3.nodes"
REALM = "realm.properties"
TEMPORARY = "tmp/about.txt"
ABOUT = b"Temporary files of Java: of use only while H2O-3 runs.\n"

OPENED = tuple(
    f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in ("java.lang", "java.util", "java.lang.reflect")
)
"""What the jar's manifest asks for; Java reads that only with `-jar`, after which it would not read our file."""
ANY_JAVA = "-Dsys.ai.h2o.debug.noJavaVersionCheck=true"
"""H2O-3 refuses any Java newer than its makers tried (17), while Debian and Ubuntu have newer ones. It runs on 25."""

SMALLEST_HEAP_MIB = 256
BESIDE_HEAP_MIB = 400
"""What Java needs besides its heap: code, threads, buffers."""
JOBS_LIMIT = 4 << 20
AT_WORK = {"RUNNING", "CANCEL_PENDING"}


class H2O3:
    """The product. See `puddle.server.products.base.Product`."""

    id = "h2o3"
    label = "H2O-3"
    auth_type = "basic"
    ports: Mapping[str, int] = {"http": 54321, "internal": 54322}
    restartable = True

    def __init__(
        self,
        recipe: Recipe | None = None,
        versions: Sequence[str] | None = None,
        *,
        clock: Callable[[], float] = time.time,
        patience: float = PATIENCE,
    ) -> None:
        """`patience`: seconds it may take to answer."""
        self.recipe: Recipe = recipe or H2O3Image()
        self.versions: Sequence[str] = buildable() if versions is None else versions
        self._clock = clock
        self._patience = patience

    def check_config(self, config: str) -> str:
        """Return why a configuration cannot be taken, or ""; see `h2o3_options`."""
        try:
            read_options(config)
        except Unusable as error:
            return str(error)
        return ""

    # on the machine

    def set_up(self, endpoint: Endpoint, given: SetUp) -> None:
        """Bring login and configuration, and start it unless it runs with just these."""
        self._bring(endpoint, given, anew=False)

    def restart(self, endpoint: Endpoint, given: SetUp) -> None:
        """Do the same, under this very token."""
        self._bring(endpoint, given, anew=True)

    def _bring(self, endpoint: Endpoint, given: SetUp, *, anew: bool) -> None:
        shell = get_in(endpoint, self.label)
        config = (_text(shell) or "") if given.config is None else given.config
        arguments = _arguments(endpoint, _options(config))
        login = realm(given.username, given.password)
        if given.config is not None:
            put(shell, CONFIG, config.encode())
        for path, content in ((ARGUMENTS, arguments), (NODES, _nodes(endpoint)), (REALM, login), (TEMPORARY, ABOUT)):
            put(shell, path, content)
        keep_running(shell, self.label, _service(given), needs(endpoint, arguments, login), anew=anew)

    def upload_config(self, endpoint: Endpoint, config: str) -> None:
        """Put a configuration there; it counts from the next start."""
        shell = get_in(endpoint, self.label)
        arguments = _arguments(endpoint, _options(config))
        put(shell, CONFIG, config.encode())
        put(shell, ARGUMENTS, arguments)

    # from outside

    def look(self, endpoint: Endpoint, username: str, password: str) -> ProductFacts:
        """Ask whether it is whole and who uses it."""
        shell = endpoint.shell
        serving = shell.serving() if shell is not None else None
        token = serving.token if serving is not None else ""
        if shell is not None and not runs(shell, serving, needs(endpoint)):
            return ProductFacts(ready=False, token=token, ended=has_ended(serving))
        site = self._site(endpoint, username, password)
        if not _is_whole(site):
            return ProductFacts(ready=False, token=token)
        config = None if shell is None else _text(shell)
        return ProductFacts(ready=True, url=site.url, token=token, idleness=self._idleness(site), config=config)

    def experiments(self, endpoint: Endpoint, username: str, password: str) -> Sequence[Experiment]:
        """H2O-3 lists none."""
        del endpoint, username, password
        return ()

    def _site(self, endpoint: Endpoint, username: str, password: str) -> Site:
        web, _ = _ports(endpoint)
        return Site(host=endpoint.host, port=web, username=username, password=password, patience=self._patience)

    def _idleness(self, site: Site) -> Idleness | None:
        """Return how long nothing has happened, and whether a job is at work; None where it does not say."""
        try:
            idle = whole(ask(site, "/3/SteamMetrics"), "idle_millis") // 1000
            working = _working(ask(site, "/3/Jobs", JOBS_LIMIT))
        except Unanswered:
            return None
        signals = (("idle seconds", str(idle)), ("jobs at work", str(working)))
        return Idleness(last_activity=max(0, int(self._clock()) - idle), busy=working > 0, signals=signals)


def _is_whole(site: Site) -> bool:
    try:
        cloud = ask(site, "/3/Cloud?skip_ticks=true")
        return truth(cloud, "cloud_healthy") and truth(cloud, "consensus") and whole(cloud, "cloud_size") == 1
    except Unanswered:
        return False


def _text_of(answer: object, key: str) -> str:
    value = inside(answer, key)
    if not isinstance(value, str):
        raise Unanswered(f"{key} is not a text", 200)
    return value


def _working(answer: object) -> int:
    jobs = inside(answer, "jobs")
    if not isinstance(jobs, list):
        raise Unanswered("jobs is not a list", 200)
    return sum(_text_of(job, "status") in AT_WORK for job in jobs)


def _text(shell: Shell) -> str | None:
    return read_text(shell, CONFIG, LONGEST + 1)


def _options(config: str) -> Options:
    try:
        return read_options(config)
    except Unusable as error:
        raise StepFailed("CONFIG", f"the configuration cannot be taken: {error}", for_ever=True) from None


def _service(given: SetUp) -> Service:
    java = ("java", *OPENED, ANY_JAVA, "-Djava.io.tmpdir={disk}/tmp")
    command = (*java, "-cp", "{image}/h2o.jar", f"@{{disk}}/{ARGUMENTS}")
    own = (
        "-name",
        given.system_id,
        "-flatfile",
        f"{{disk}}/{NODES}",
        "-ice_root",
        "{disk}/ice",
        "-flow_dir",
        "{disk}/flows",
    )
    login = ("-hash_login", "-login_conf", f"{{disk}}/{REALM}", "-user_name", given.username)
    return Service(command=(*command, *own, *login), token=given.token)


def _arguments(endpoint: Endpoint, options: Options) -> bytes:
    """Return the first part of the command line: Java's options, the program, and those of its that change."""
    web, internal = _ports(endpoint)
    java = (f"-Xmx{_heap_mib(endpoint, options)}m", "water.H2OApp")
    net = ("-ip", endpoint.host, "-web_ip", endpoint.host, "-port", str(web), "-port_offset", str(internal - web))
    return "".join(f"{word}\n" for word in (*java, *net, *options.flags)).encode()


def _nodes(endpoint: Endpoint) -> bytes:
    web, _ = _ports(endpoint)
    return f"{endpoint.host}:{web}\n".encode()


def _ports(endpoint: Endpoint) -> tuple[int, int]:
    low, high = sorted((endpoint.ports["http"], endpoint.ports["internal"]))
    return low, high


def _heap_mib(endpoint: Endpoint, options: Options) -> int:
    memory = endpoint.memory_gb * 1024
    heap = int(min(memory * options.memory_fraction, memory - BESIDE_HEAP_MIB))
    if heap < SMALLEST_HEAP_MIB:
        needed = max(SMALLEST_HEAP_MIB / options.memory_fraction, SMALLEST_HEAP_MIB + BESIDE_HEAP_MIB) / 1024
        sentence = f"H2O-3 needs a machine with {needed:.1f} GB of memory, and this one has {endpoint.memory_gb:g}"
        raise StepFailed("REFUSED", sentence, for_ever=True)
    return heap
