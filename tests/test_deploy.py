"""What we ship to run it for a year. No container engine and no systemd run here: the files are parsed and linted,
the image's steps are run in a fresh environment, and what systemd would hear is heard by a socket."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.config import Settings, Supervisor
from bot.models import Health
from bot.notify import notified
from bot.service import ROLES
from handlers.slack.installs import INSTALL_PAGE
from handlers.slack.manifest import EVENTS_PAGE, REDIRECT_PAGE
from handlers.telegram.webhook import PATH as TELEGRAM_PAGE
from tests.chats import open_chats
from tests.process import QUIET
from tests.tally import Tell

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
UNITS = ("yamchi.service", "yamchi-backup.service", "yamchi-backup.timer")
EXPOSURE_BORNE = 2.0
systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")


def instructions() -> list[tuple[str, str]]:
    """(INSTRUCTION, the rest) of the Dockerfile."""
    text = re.sub(r"\\\n\s*", " ", (DEPLOY / "Dockerfile").read_text())
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]


# --- the image ---------------------------------------------------------------


def test_the_image_runs_as_nobody_and_writes_to_its_volume_only():
    said = instructions()
    last = said[max(n for n, (word, _) in enumerate(said) if word == "FROM") :]
    assert ("USER", "65532:65532") in last
    assert ("VOLUME", "/data") in last
    assert ("ENTRYPOINT", '["yamchi"]') in last and ("CMD", '["run"]') in last
    assert any(word == "HEALTHCHECK" for word, _ in last)
    assert not [rest for word, rest in last if word == "COPY" and not rest.startswith("--from=build")]
    assert any("--require-hashes" in rest for _, rest in said)


def test_the_dockerfile_is_clean():
    linted = subprocess.run([BIN / "hadolint", DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")


def test_all_that_the_image_copies_is_let_through():
    ignored = (ROOT / ".dockerignore").read_text().split()
    copies = [rest.split()[:-1] for word, rest in instructions() if word == "COPY" and "--from" not in rest]
    copied = {name for names in copies for name in names}
    assert {f"!{name}" for name in copied} <= set(ignored)
    assert all((ROOT / name).exists() for name in copied)
    rooms = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {room.rstrip("*") for room in rooms} <= copied


@pytest.mark.chaos
def test_the_images_steps_make_a_program_that_runs_anywhere(tmp_path: Path, tell: Tell):
    """The RUN and COPY lines of the first stage, with /src and /venv under a folder of ours."""
    source = tmp_path / "src"
    source.mkdir()
    for word, rest in instructions():
        if word == "FROM" and source.joinpath("bot").exists():
            break
        if word == "COPY":
            for name in rest.split()[:-1]:
                there = source / name
                shutil.copytree(ROOT / name, there) if (ROOT / name).is_dir() else shutil.copy(ROOT / name, there)
        if word == "RUN":
            steps = rest.replace("/venv", str(tmp_path / "venv")).replace("python -m venv", f"{sys.executable} -m venv")
            subprocess.run(["sh", "-ec", steps], cwd=source, check=True, timeout=900)
    shutil.rmtree(source)
    (tmp_path / "data").mkdir()
    env = {name: value for name, value in QUIET.items() if name != "PYTHONPATH"}
    words = [tmp_path / "venv" / "bin" / "yamchi", "ask", "--sample", "/latest summit"]
    asked = subprocess.run(words, cwd=tmp_path / "data", env=env, capture_output=True, text=True, check=True)
    assert "1-6 of 7" in asked.stdout
    size = sum(file.stat().st_size for file in (tmp_path / "venv").rglob("*") if file.is_file())
    tell(f"image: its steps run in a fresh environment, {size / 1e6:.0f} MB of venv")


# --- compose -----------------------------------------------------------------


def services(file: str) -> dict[str, dict[str, Any]]:
    """Those that are ours."""
    every = yaml.safe_load((DEPLOY / file).read_text())["services"]
    return {name: service for name, service in every.items() if service["image"] == "yamchi"}


def test_several_processes_are_kept_as_closely_and_each_has_a_role_that_there_is():
    found = services("compose.scale.yaml")
    assert {name: service["deploy"]["replicas"] for name, service in found.items()} == {"web": 2, "send": 2}
    for service in found.values():
        verb, option, roles = service["command"]
        assert (verb, option) == ("run", "--roles") and set(roles.split(",")) <= set(ROLES)
        assert service["cap_drop"] == ["ALL"] and service["read_only"] is True
        assert not {"volumes", "ports"} & set(service)
        assert {name.removesuffix("_FILE").lower() for name in service["environment"]} <= set(Settings.model_fields)
    assert {role for service in found.values() for role in service["command"][2].split(",")} == set(ROLES)


def test_every_secret_of_several_processes_is_there():
    whole = yaml.safe_load((DEPLOY / "compose.scale.yaml").read_text())
    for service in whole["services"].values():
        named = {value for name, value in service.get("environment", {}).items() if name.endswith("_FILE")}
        assert {Path(path).name for path in named} == set(service.get("secrets", ())) <= set(whole["secrets"])
        kept = [volume.partition(":")[0] for volume in service.get("volumes", ())]
        assert all((DEPLOY / name).is_file() if name.startswith(".") else name in whole["volumes"] for name in kept)


PROXY = (DEPLOY / "Caddyfile").read_text()


def test_the_proxy_lets_through_the_pages_of_chats_and_nothing_else():
    pages = {path.rstrip("*") for path in re.findall(r"@pages path (.*)", PROXY)[0].split()}
    ours = {TELEGRAM_PAGE, EVENTS_PAGE, REDIRECT_PAGE, INSTALL_PAGE}
    assert all(any(page.startswith(path) for path in pages) for page in ours)
    assert not any(page.startswith(tuple(pages)) for page in ("/metrics", "/readyz", "/healthz"))
    assert "dynamic a web 8080" in PROXY and services("compose.scale.yaml")["web"]["environment"]["HTTP_LISTEN"]


@pytest.mark.skipif(shutil.which("caddy") is None, reason="no caddy here")
def test_caddy_understands_its_file():
    words = ["caddy", "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "Caddyfile")]
    done = subprocess.run(
        words, env={**os.environ, "DOMAIN": "bot.example"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (
        subprocess.run(["caddy", "fmt", "--diff", DEPLOY / "Caddyfile"], capture_output=True, check=False).returncode
        == 0
    )


def test_compose_gives_it_nothing_it_does_not_need():
    (service,) = services("compose.yaml").values()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == ["data:/data"]
    assert "ports" not in service and "privileged" not in service and "user" not in service
    assert {"mem_limit", "pids_limit", "stop_grace_period"} <= set(service)
    assert (DEPLOY / "compose.yaml").parent.joinpath(service["build"]["context"]).resolve() == ROOT
    assert (ROOT / service["build"]["dockerfile"]).is_file()


def test_every_setting_named_in_deploy_exists():
    known = {name.upper() for name in Settings.model_fields}
    (service,) = services("compose.yaml").values()
    named = set(service["environment"])
    for unit in UNITS[:2]:
        for line in re.findall(r"Environment=(.*)", (DEPLOY / unit).read_text()):
            named |= {word.partition("=")[0] for word in line.split()}
    assert {name.removesuffix("_FILE") for name in named} - {"PYTHONUNBUFFERED"} <= known


# --- systemd -----------------------------------------------------------------


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with a program that is there."""
    for name in UNITS:
        text = (DEPLOY / name).read_text().replace("/opt/yamchi/.venv/bin/yamchi", "/bin/true")
        (tmp_path / name).write_text(text)
    return tmp_path


@systemd
def test_systemd_understands_the_units(units: Path):
    words = ["systemd-analyze", "verify", *(str(units / name) for name in UNITS)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "yamchi" in line] == []
    assert done.returncode == 0


@systemd
def test_the_service_is_exposed_to_little(units: Path, tell: Tell):
    words = ["systemd-analyze", "security", "--offline=true", str(units / "yamchi.service")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    found = re.search(r"exposure level for yamchi.service: ([\d.]+)", done.stdout)
    assert found and float(found[1]) <= EXPOSURE_BORNE
    tell(f"systemd-analyze security: exposure {found[1]} of 10 (at most {EXPOSURE_BORNE})")


def test_a_backup_of_the_timer_goes_where_the_service_keeps_its_data():
    service, backup = ((DEPLOY / name).read_text() for name in UNITS[:2])
    for line in ("WorkingDirectory=/var/lib/yamchi", "DynamicUser=yes", "User=yamchi"):
        assert line in service and line in backup
    assert re.findall(r"DATABASE_URL=\S+", service) == re.findall(r"DATABASE_URL=\S+", backup)


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_that_we_are_up_alive_and_going(tmp_path: Path, abstract: bool):
    name = f"yamchi-test-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear, open_chats(tmp_path) as chats:
        ear.bind("\0" + name if abstract else name)
        ear.settimeout(60)
        told = {"NOTIFY_SOCKET": f"@{name}" if abstract else name, "WATCHDOG_USEC": "600000"}
        with chats.run(**told) as service:
            heard = [ear.recv(99).decode() for _ in range(4)]
            assert service.stop() == 0
        rest = []
        ear.settimeout(1)
        while not rest or rest[-1] != "STOPPING=1":
            rest.append(ear.recv(99).decode())
    assert heard == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]
    assert set(rest[:-1]) <= {"WATCHDOG=1"}


@pytest.mark.parametrize("told", [{}, {"WATCHDOG_USEC": "600000", "WATCHDOG_PID": "1"}])
def test_nobody_is_told_what_nobody_asked(tmp_path: Path, told: dict[str, str]):
    with open_chats(tmp_path) as chats, chats.run(NOTIFY_SOCKET=str(tmp_path / "nobody"), **told) as service:
        service.wait_for_log("serving", 60)
        assert service.stop() == 0


async def test_the_watchdog_is_not_fed_while_a_task_is_dead(tmp_path: Path):
    health = {"deliver": Health(ok=False, detail="died")}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "s"))
        ear.setblocking(False)
        async with notified(Supervisor(str(tmp_path / "s"), 0.03), lambda: health):
            await asyncio.sleep(0.2)
            assert ear.recv(99) == b"READY=1"
            with pytest.raises(BlockingIOError):
                ear.recv(99)
            health["deliver"] = Health(ok=True)
            await asyncio.sleep(0.2)
            assert ear.recv(99) == b"WATCHDOG=1"
