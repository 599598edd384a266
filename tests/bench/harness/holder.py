"""Something for a live process to hold."""

import os


class Holder:
    def hold(self, num_bytes: int) -> int:
        return len(b"x" * num_bytes)

    def setting(self, name: str) -> str:
        return os.environ[name]

    def say(self, what: str) -> None:
        os.write(1, f"{what}\n".encode())

    def process(self) -> int:
        return os.getpid()


def refuse(said: str) -> None:
    raise ValueError(said)
