"""How quickly the program answers, and what it holds while idle. Prints figures, asserts nothing.

    .venv/bin/python -m bench.start

ask     wall-clock seconds from process start to the end of `yamchi ask --sample "/rates"`, median of 7
idle    resident memory of `yamchi chat --sample` (main process, and with its children) after 20 s
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ASK = [sys.executable, "-m", "bot", "ask", "--sample", "/rates"]
CHAT = [sys.executable, "-m", "bot", "chat", "--sample"]
ROUNDS = 7
IDLE_SECONDS = 20


def ask_seconds() -> float:
    started = time.perf_counter()
    subprocess.run(ASK, check=True, capture_output=True)
    return time.perf_counter() - started


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def idle_mb(words: list[str], env: dict[str, str] | None = None, first: str = "/rates\n") -> tuple[float, float]:
    """Megabytes of the main process, and of it with its children."""
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env
    ) as process:
        assert process.stdin
        process.stdin.write(first.encode())
        process.stdin.flush()
        time.sleep(IDLE_SECONDS)
        main = resident_mb(process.pid)
        tree = main + sum(resident_mb(child) for child in children(process.pid))
        process.kill()
    return main, tree


def main() -> None:
    rounds = sorted(ask_seconds() for _ in range(ROUNDS))
    print(f"ask --sample /rates   median {statistics.median(rounds):.2f} s, worst {rounds[-1]:.2f} s of {ROUNDS}")
    alone, tree = idle_mb(CHAT)
    print(f"chat --sample, idle   {alone:.0f} MB main process, {tree:.0f} MB with children")


if __name__ == "__main__":
    main()
