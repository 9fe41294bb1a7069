"""What a chart costs, beside matplotlib. Prints figures, asserts nothing.

    .venv/bin/python -m bench.charts [PYTHON]

cold    milliseconds from a process that has drawn nothing to its first PNG; ours starts its painter within
warm    milliseconds of each further one
added   megabytes of resident memory that stay with the process after its first chart
painter megabytes of the child at its highest, for as long as it paints, and of an interpreter that does nothing
held    the longest time in which the event loop did nothing else, milliseconds
PYTHON  an interpreter that has matplotlib, for the comparison: of a temporary environment, never of ours.
        `python -m venv DIR`, `DIR/bin/pip install matplotlib`, then DIR/bin/python.

Each figure is the median of ROUNDS fresh processes: thirty days, 1200 by 675.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

ROUNDS = 7
HOME = Path(__file__).parents[1]

RESIDENT = """
def resident():
    return next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmRSS"))
"""

OURS = (
    RESIDENT
    + """
import asyncio, json, time
from tests.kinds import kinds, history
from bot.compose import chart
from bot.locales import tongue

async def main():
    past = history("USD", "KZT", *(f"47{n % 7}.{n:02}" for n in range(30)))
    picture = chart.chart(past, past.days[0][0], tongue("en")).blocks[0]
    longest = 0.0
    async def tick():
        nonlocal longest
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
    watch = asyncio.create_task(tick())
    await asyncio.sleep(0.01)
    longest, before, began = 0.0, resident(), time.perf_counter()
    from bot.chart.draw import Painter
    painter = Painter()
    await painter.png(picture)
    cold, held, after = time.perf_counter() - began, longest, resident()
    watch.cancel()
    began = time.perf_counter()
    for _ in range(5):
        await painter.png(picture)
    warm = (time.perf_counter() - began) / 5
    print(json.dumps({"cold": cold * 1e3, "warm": warm * 1e3, "added": after - before, "held": held * 1e3}))

asyncio.run(main())
"""
)

MATPLOTLIB = (
    RESIDENT
    + """
import io, json, time
from datetime import date, timedelta

def draw():
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure(figsize=(12, 6.75), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    days = [date(2026, 10, 25) + timedelta(days=n) for n in range(30)]
    axes.step(days, [470 + n % 7 + n / 100 for n in range(30)], where="post")
    axes.set_title("1 USD in KZT")
    axes.grid()
    figure.savefig(io.BytesIO(), format="png")

before, began = resident(), time.perf_counter()
draw()
cold, after, began = time.perf_counter() - began, resident(), time.perf_counter()
for _ in range(5):
    draw()
warm = (time.perf_counter() - began) / 5
print(json.dumps({"cold": cold * 1e3, "warm": warm * 1e3, "added": after - before, "held": cold * 1e3}))
"""
)


PAINTER = """
import runpy, sys
runpy.run_path("bot/chart/paint.py", run_name="__main__")
peak = next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(peak, file=sys.stderr)
"""


def painter_mb() -> tuple[float, float]:
    """Megabytes of the child at its highest, and of an interpreter that does nothing."""
    from bot.chart.svg import svg
    from tests.kinds import kinds

    document = svg(kinds()["chart"].blocks[0])  # type: ignore[arg-type]
    idle = PAINTER.replace("runpy.run_path", "(lambda *_, **__: None)")
    return tuple(  # type: ignore[return-value]
        float(
            subprocess.run(
                [sys.executable, "-c", script], cwd=HOME, input=document.encode(), capture_output=True
            ).stderr
        )
        for script in (PAINTER, idle)
    )


def measured(python: str, script: str) -> dict[str, float]:
    """The median of each figure."""
    runs = [
        json.loads(subprocess.run([python, "-c", script], cwd=HOME, check=True, capture_output=True, text=True).stdout)
        for _ in range(ROUNDS)
    ]
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def told(name: str, figures: dict[str, float]) -> None:
    print(f"{name:<11}", "  ".join(f"{key} {value:7.1f}" for key, value in figures.items()))


def main() -> None:
    ours = measured(sys.executable, OURS)
    told("ours", ours)
    peak, idle = painter_mb()
    print(f"painter     {peak:.1f} MB while it paints, {peak - idle:.1f} of them its own; then none")
    if len(sys.argv) > 1:
        measured(sys.argv[1], MATPLOTLIB)  # its font cache is built once and for all
        theirs = measured(sys.argv[1], MATPLOTLIB)
        told("matplotlib", theirs)
        print(f"cold: {theirs['cold'] / ours['cold']:.1f} times as quick; memory that stays: {ours['added']:.1f} MB")


if __name__ == "__main__":
    main()
