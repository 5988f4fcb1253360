"""The Exchange's Bybit V5 face: bytes in, bytes out.

rest, trade             requests over HTTP and over the trade socket; signing: whose they are; limits: how many
routes_*, params        what each route does with its parameters; render, render_market: objects as the venue writes them
public, channels, books, candles
                        public streams, made from the market; market_data: of what; passing: or passed on as they were
private, dcp            streams of an account, and what ends with them
faults, maintenance     what goes wrong on demand
wire                    JSON
"""
