"""The Exchange's Bybit V5 face: bytes in, bytes out.

rest, trade             requests over HTTP and over the trade socket; signed: the routes of both; signing: whose they are;
                        limits: how many
routes_*, params        what each route does with its parameters; render, render_market: objects as the venue writes them; codes:
                        what it says on demand
public, channels, book_channel
                        public streams, made from the market; passing: or passed on as they were
market_data             what is shown of the market: books, symbol_market, candles; figures: how it is written
private, dcp            streams of an account, and what ends with them
faults, maintenance     what goes wrong on demand
wire                    JSON
"""
