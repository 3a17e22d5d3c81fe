"""Requests and answers over channels, for asyncio."""

from __future__ import annotations

import asyncio
import time
from typing import TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from .channel import OPTIONS, Material, Method, channels_of, credentials, material_of, metadata, replaced
from .credential import AsyncCredential
from .errors import RemitError
from .rpc_error import from_rpc
from .settings import Settings
from .tries import GivenUpError, Tries

__all__ = ["AsyncWire"]

Asked = TypeVar("Asked", bound=Message)
Answered = TypeVar("Answered", bound=Message)


class AsyncWire:
    """The channels of one client, in one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._credential = AsyncCredential(settings)
        self._targets = channels_of(settings)
        self._channels: dict[int, tuple[grpc.aio.Channel, Material]] = {}
        self._retired: list[grpc.aio.Channel] = []

    def _channel(self, number: int) -> grpc.aio.Channel:
        at = number % len(self._targets)
        if at not in self._channels:
            material = material_of(self._settings)
            target = self._targets[at]
            channel = (
                grpc.aio.insecure_channel(target, options=OPTIONS)
                if material is None
                else grpc.aio.secure_channel(target, credentials(material), options=OPTIONS)
            )
            self._channels[at] = (channel, material)
        return self._channels[at][0]

    async def _renew(self) -> None:
        """Lets channels go that were opened with files which have been replaced; what runs on them may end."""
        if self._settings.tls is None:
            return
        old = [at for at, (_, material) in self._channels.items() if replaced(self._settings, material)]
        if not old:
            return
        before, self._retired = self._retired, [self._channels.pop(at)[0] for at in old]
        for channel in before:
            await channel.close()

    async def _once(
        self,
        method: Method[Asked, Answered],
        request: Asked,
        token: str | None,
        tries: Tries,
        number: int,
    ) -> Answered:
        header = await self._credential.header()
        unary = self._channel(number).unary_unary(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.answer.FromString,
        )
        left = tries.left(time.monotonic())
        try:
            answer: Answered = await unary(request, timeout=left, metadata=metadata(header, token))
        except grpc.aio.AioRpcError as error:
            raise self._credential.after(header, from_rpc(error)) from error
        return answer

    async def ask(
        self,
        method: Method[Asked, Answered],
        request: Asked,
        token: str | None,
        tries: Tries,
    ) -> Answered:
        """
        Asks until one try is answered, with the session's token; the other tries are cancelled then.

        Raises `RemitError` for what is not worth another try, `GivenUpError` when the time is up.
        """
        running: set[asyncio.Task[Answered]] = set()
        try:
            while not tries.over(now := time.monotonic()):
                if tries.due(now):
                    number = tries.start(now)
                    running.add(asyncio.create_task(self._once(method, request, token, tries, number)))
                wait = tries.wait(time.monotonic())
                if not running:
                    await asyncio.sleep(wait)
                    continue
                done, running = await asyncio.wait(running, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                failures = [task.exception() for task in done]
                for task, error in zip(done, failures, strict=True):
                    if error is None:
                        return task.result()
                    if not isinstance(error, RemitError):
                        raise error
                    await self._renew()
                    tries.fail(time.monotonic(), error)
            raise GivenUpError(tries.last)
        finally:
            for task in running:
                task.cancel()

    async def close(self) -> None:
        """Closes every channel."""
        self._credential.close()
        channels = [*self._retired, *(channel for channel, _ in self._channels.values())]
        self._channels.clear()
        self._retired.clear()
        for channel in channels:
            await channel.close()
