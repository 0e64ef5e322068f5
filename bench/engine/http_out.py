"""The hub's HTTP client beside plain httpx with as many connections, and aiohttp."""

from bench.engine.drain import alone
from bench.engine.options import Options
from bench.places import figure, median
from bench.sink import sink


def measure(options: Options, _: str | None) -> None:
    """Measure at 16 and 64 requests at once; the hub's client has 8 connections, as httpx has."""
    for at_once in (16, 64):
        shares, rates = [], []
        with sink() as there:
            for _ in range(options.rounds):
                ours = alone("client", there, options.events, at_once)
                theirs = alone("httpx", there, max(500, options.events // 4), at_once)
                shares.append(ours.rate / theirs.rate)
                rates.append(ours.rate)
        figure(f"engine.http_out_c{at_once}", median(rates), "1/s")
        figure(f"engine.http_out_ratio_c{at_once}", median(shares), "ratio", 2)
