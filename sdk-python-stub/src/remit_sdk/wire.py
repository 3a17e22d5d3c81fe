"""Requests and answers over channels, for threads."""

from __future__ import annotations

import queue
import threading
import time
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from .channel import OPTIONS, Material, Method, channels_of, credentials, material_of, metadata, replaced
from .credential import Credential
from .errors import RemitError
from .rpc_error import from_rpc
from .settings import Settings
from .tries import GivenUpError, Tries

__all__ = ["Wire"]

Asked = TypeVar("Asked", bound=Message)
Answered = TypeVar("Answered", bound=Message)


class Wire:
    """The channels of one client."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._credential = Credential(settings)
        self._targets = channels_of(settings)
        self._channels: dict[int, tuple[grpc.Channel, Material]] = {}
        self._retired: list[grpc.Channel] = []
        self._lock = threading.Lock()

    def _channel(self, number: int) -> grpc.Channel:
        at = number % len(self._targets)
        with self._lock:
            if at not in self._channels:
                material = material_of(self._settings)
                target = self._targets[at]
                channel = (
                    grpc.insecure_channel(target, options=OPTIONS)
                    if material is None
                    else grpc.secure_channel(target, credentials(material), options=OPTIONS)
                )
                self._channels[at] = (channel, material)
            return self._channels[at][0]

    def _renew(self) -> None:
        """Lets channels go that were opened with files which have been replaced; what runs on them may end."""
        if self._settings.tls is None:
            return
        with self._lock:
            old = [at for at, (_, material) in self._channels.items() if replaced(self._settings, material)]
            if not old:
                return
            for channel in self._retired:
                channel.close()
            self._retired = [self._channels.pop(at)[0] for at in old]

    def _start(
        self,
        method: Method[Asked, Answered],
        request: Asked,
        headers: tuple[tuple[str, str], ...],
        timeout: float,
        number: int,
    ) -> Any:  # noqa: ANN401 - a call and a future in one, which has no name in gRPC
        unary = self._channel(number).unary_unary(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.answer.FromString,
        )
        return unary.future(request, timeout=timeout, metadata=headers)

    def ask(
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
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        running: dict[Any, str | None] = {}
        try:
            while not tries.over(now := time.monotonic()):
                if tries.due(now):
                    number = tries.start(now)
                    try:
                        header = self._credential.header(tries.left(now))
                    except RemitError as error:
                        tries.fail(time.monotonic(), error)
                        continue
                    left = tries.left(time.monotonic())
                    call = self._start(method, request, metadata(header, token), left, number)
                    running[call] = header
                    call.add_done_callback(answers.put)
                try:
                    done = answers.get(timeout=tries.wait(time.monotonic()))
                except queue.Empty:
                    continue
                header = running.pop(done)
                if done.code() is grpc.StatusCode.OK:
                    answer: Answered = done.result()
                    return answer
                self._renew()
                tries.fail(time.monotonic(), self._credential.after(header, from_rpc(done)))
            raise GivenUpError(tries.last)
        finally:
            for call in running:
                call.cancel()

    def close(self) -> None:
        """Closes every channel."""
        with self._lock:
            for channel in [*self._retired, *(channel for channel, _ in self._channels.values())]:
                channel.close()
            self._channels.clear()
            self._retired.clear()
