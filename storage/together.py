"""Work that shares a commit: what is asked for while another commit is under way goes into the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from bot.patience import heard

Asked = TypeVar("Asked")
Result = TypeVar("Result")


class Together(Generic[Asked, Result]):
    """do: carries all of it out in one transaction, and returns a result for each. What it raises, each raises."""

    def __init__(self, do: Callable[[list[Asked]], Awaitable[list[Result]]]) -> None:
        self._do = do
        self._waiting: list[tuple[Asked, asyncio.Future[Result]]] = []
        self._next: asyncio.Task[None] | None = None
        self._doing = asyncio.Lock()

    async def __call__(self, asked: Asked) -> Result:
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, done))
        if self._next is None:
            self._next = asyncio.create_task(self._carry_out())
            self._next.add_done_callback(heard)
        return await done

    async def asked_before(self) -> None:
        """Wait until all that has been asked for is carried out, well or not."""
        if self._waiting:
            await asyncio.wait([done for _, done in self._waiting])

    async def _carry_out(self) -> None:
        async with self._doing:
            waiting, self._waiting, self._next = self._waiting, [], None
            try:
                results = await self._do([asked for asked, _ in waiting])
            except BaseException as error:
                for done in (done for _, done in waiting if not done.done()):
                    done.set_exception(error)
                raise
            for (_, done), result in zip(waiting, results, strict=True):
                if not done.done():
                    done.set_result(result)
