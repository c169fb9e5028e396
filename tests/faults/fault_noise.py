"""One noisy tenant: a program that asks and writes as fast as it is answered, on many connections at once.

python fault_noise.py URL KEY SECONDS CONNECTIONS; prints how many requests were answered with what.
"""

import asyncio
import collections
import json
import sys
import time

import httpx

TASK = {"title": "Noise", "candidate_groups": ["support-l1"]}


async def main(url: str, key: str, seconds: float, connections: int) -> None:
    answered: collections.Counter[str] = collections.Counter()
    until = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=connections)
    headers = {"authorization": f"Bearer {key}"}

    async def shout(http: httpx.AsyncClient) -> None:
        while time.monotonic() < until:
            for method, path, body in (("POST", "/v1/tasks", TASK), ("GET", "/v1/tasks", None)):
                try:
                    answer = await http.request(method, path, json=body)
                    answered[str(answer.status_code)] += 1
                except httpx.TransportError:
                    answered["none"] += 1

    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30, limits=limits) as http:
        await asyncio.gather(*(shout(http) for _ in range(connections)))
    print(json.dumps(answered))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])))
