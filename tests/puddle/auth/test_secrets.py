"""What is kept encrypted: it comes back, and only where it belongs."""

from __future__ import annotations

import base64
import os
import stat
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puddle.server.auth.secrets import (
    PASSWORD,
    Keyring,
    KeysRefused,
    SecretUnreadable,
    new_password,
)

ONE, TWO = Keyring([b"1" * 32]), Keyring([b"2" * 32])
BOTH = Keyring([b"2" * 32, b"1" * 32])
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(WORDS, WORDS, WORDS)
@settings(max_examples=50)
def test_what_is_sealed_comes_back_and_looks_different_each_time(plain, purpose, subject):
    sealed = ONE.encrypt(plain, purpose, subject)
    assert ONE.decrypt(sealed, purpose, subject) == plain
    assert sealed != ONE.encrypt(plain, purpose, subject)
    assert sealed.startswith("v1.")


@given(st.data())
@settings(max_examples=100)
def test_nothing_that_was_tampered_with_is_read(data):
    sealed = ONE.encrypt("s3cret", PASSWORD, "sys-1")
    head, _, body = sealed.rpartition(".")
    content = bytearray(base64.urlsafe_b64decode(body))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    content = content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    with pytest.raises(SecretUnreadable) as refused:
        ONE.decrypt(f"{head}.{base64.urlsafe_b64encode(content).decode()}", PASSWORD, "sys-1")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(("purpose", "subject"), [(PASSWORD, "sys-2"), ("ssh_key", "sys-1"), ("", "passwordsys-1")])
def test_a_ciphertext_cannot_be_moved_to_another_row_or_column(purpose, subject):
    with pytest.raises(SecretUnreadable, match="damaged or another's"):
        ONE.decrypt(ONE.encrypt("s3cret", PASSWORD, "sys-1"), purpose, subject)


@pytest.mark.parametrize("stored", ["", "s3cret", "v2.abc.AAAA", "v1.abc", "v1.abc.!!", "v1.abc.AAAA", "v1..é"])
def test_what_has_another_form_is_refused(stored):
    with pytest.raises(SecretUnreadable, match="newer"):
        ONE.decrypt(stored, PASSWORD, "sys-1")


def test_after_a_rotation_the_old_is_still_read_and_found_to_be_stale():
    old = ONE.encrypt("s3cret", PASSWORD, "sys-1")
    assert BOTH.decrypt(old, PASSWORD, "sys-1") == "s3cret"
    assert BOTH.stale(old)
    new = BOTH.encrypt("s3cret", PASSWORD, "sys-1")
    assert not BOTH.stale(new)
    assert TWO.decrypt(new, PASSWORD, "sys-1") == "s3cret"
    with pytest.raises(SecretUnreadable, match="needs master key"):
        ONE.decrypt(new, PASSWORD, "sys-1")


def test_keys_are_never_printed():
    assert "111" not in repr(ONE)
    assert base64.b64encode(b"1" * 32).decode() not in str(ONE)


def test_keys_are_read_from_a_setting_in_either_alphabet():
    keys = [os.urandom(31) + b"\xff", os.urandom(32)]
    given_keys = f"# mine\n{base64.urlsafe_b64encode(keys[0]).decode()}, {base64.b64encode(keys[1]).decode()}\n"
    sealed = Keyring(keys).encrypt("x", PASSWORD, "s")
    assert Keyring.from_text(given_keys).decrypt(sealed, PASSWORD, "s") == "x"
    assert not Keyring.from_text(given_keys).stale(sealed)


@pytest.mark.parametrize(
    ("held", "why"),
    [("", "no master key"), ("# x\n", "no master key"), ("c2hvcnQ=", "32 bytes"), ("s3cret!", "base64")],
)
def test_bad_keys_are_refused_without_being_quoted(held, why):
    with pytest.raises(KeysRefused, match=why) as refused:
        Keyring.from_text(held)
    assert "s3cret" not in str(refused.value)


def test_the_first_start_makes_a_private_file_and_later_ones_read_it(tmp_path):
    path = tmp_path / "new" / "master.key"
    sealed = Keyring.load_or_create(path).encrypt("x", PASSWORD, "s")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert Keyring.load_or_create(path).decrypt(sealed, PASSWORD, "s") == "x"
    assert [file.name for file in path.parent.iterdir()] == ["master.key"]


def test_servers_that_start_together_agree_on_the_key(tmp_path):
    path, made, ready = tmp_path / "master.key", [], threading.Barrier(8)

    def start():
        ready.wait()
        made.append(repr(Keyring.load_or_create(path)))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["master.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_file_open_to_others_is_refused_with_what_to_do(tmp_path, mode):
    path = tmp_path / "master.key"
    Keyring.load_or_create(path)
    path.chmod(mode)
    with pytest.raises(KeysRefused, match="chmod 600"):
        Keyring.load_or_create(path)


def test_a_file_of_another_user_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "master.key"
    Keyring.load_or_create(path)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    if path.stat().st_uid == 0:  # tests that run as root own everything, and root's files are trusted
        os.chown(path, 4712, -1)
    with pytest.raises(KeysRefused, match="another user"):
        Keyring.load_or_create(path)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "master.key"
    path.write_bytes(b"\xff\xfe")
    path.chmod(0o600)
    with pytest.raises(KeysRefused, match="not text"):
        Keyring.load_or_create(path)


def test_rotating_puts_a_new_key_on_top_of_the_file(tmp_path):
    path = tmp_path / "master.key"
    sealed = Keyring.load_or_create(path).encrypt("x", PASSWORD, "s")
    rotated = Keyring.rotate(path)
    assert rotated.stale(sealed)
    assert rotated.decrypt(sealed, PASSWORD, "s") == "x"
    assert not rotated.stale(Keyring.load_or_create(path).encrypt("x", PASSWORD, "s"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().count("#") == 1


def test_passwords_are_long_random_and_need_no_quoting():
    made = {new_password() for _ in range(50)}
    assert len(made) == 50
    assert all(len(password) == 24 and password.isascii() and password.isalnum() for password in made)
    assert not set("".join(made)) & set("0O1lI")
