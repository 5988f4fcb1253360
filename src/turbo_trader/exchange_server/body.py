"""The body of a request, up to a size limit."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

LARGEST_BODY: Final = 256 * 1024  # bytes read of a request; the rest face says what it thinks of them


async def read_body(request: Request) -> bytes:
    """The body, or as much of it as anyone should send."""
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > LARGEST_BODY:
            break
    return b"".join(parts)
