"use strict";
// Draws the charts of the page's data, and the trades on their prices. Every text of the data becomes text, never markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const drawAll = () => {
    for (const place of document.querySelectorAll("[data-chart]")) {
      const figure = data.charts[place.dataset.chart];
      if (figure.data.length) Charts.draw(place, figure);
      else place.remove();
    }
  };

  // -- trades on prices

  const { at, draw, signed } = Charts;
  const trades = Charts.named(data.columns, data.trades);
  const paths = Object.fromEntries(Object.entries(data.paths).map(([symbol, path]) => [symbol, Charts.expanded(path)]));
  const last = Math.max(0, ...trades.map((t) => Math.max(t.opened, t.closed)), ...Object.values(paths).map((p) => p.x.at(-1) ?? 0));

  const PAGE = 15;
  let page = 0, chosen = null;
  const get = (id) => document.getElementById(id);

  const show = (symbol, trade) => {
    get("symbol").value = symbol;
    const room = trade ? Math.max(15 * 60e3, ((trade.closed || last) - trade.opened) * 0.6) : 0;
    const first = paths[symbol]?.x[0] ?? 0;
    const range = trade ? [Math.max(first, trade.opened - room), Math.min(last, (trade.closed || last) + room)] : null;
    draw(get("price"), Charts.priceFigure({ symbol, path: paths[symbol], trades, last, range }));
    get("about").textContent = trade ? about(trade) : "";
  };

  const about = (t) => {
    const end = t.closed ? `closed by ${t.reason} at ${t.exit} after ${t.minutes} min: ${signed(t.bp, 1)} bp, ${signed(t.net, 4)} USDT, fees ${t.fees}` : "still open";
    const claimed = t.ev === null ? "" : `; claimed EV ${signed(t.ev, 1)} bp`;
    const size = [t.leverage && `leverage ${t.leverage}x`, t.binding && `size set by ${t.binding}`, t.stage && `stage ${t.stage}`].filter(Boolean).join(", ");
    return `${t.id}: ${t.direction > 0 ? "long" : "short"} ${t.tier}, ${t.qty} at ${t.entry}${size ? " (" + size + ")" : ""}, ${end}${claimed}`;
  };

  const COLUMNS = [
    ["opened, UTC", (t) => at(t.opened)], ["symbol", (t) => t.symbol], ["side", (t) => (t.direction > 0 ? "long " : "short ") + t.tier],
    ["size, USDT", (t) => t.size.toFixed(2)], ["entry", (t) => String(t.entry)], ["exit", (t) => (t.closed ? String(t.exit) : "-")],
    ["closed by", (t) => t.reason], ["min", (t) => (t.closed ? t.minutes.toFixed(0) : "-")],
    ["bp", (t) => (t.closed ? signed(t.bp, 1) : "-")], ["net, USDT", (t) => (t.closed ? signed(t.net, 4) : "-")],
  ];

  const cell = (kind, text, mood) => {
    const found = document.createElement(kind);
    found.textContent = text;
    if (mood) found.className = mood;
    return found;
  };

  const table = () => {
    const head = document.createElement("thead"), body = document.createElement("tbody"), names = document.createElement("tr");
    for (const [name] of COLUMNS) names.append(cell("th", name));
    head.append(names);
    for (const trade of trades.slice(page * PAGE, (page + 1) * PAGE)) {
      const row = document.createElement("tr");
      COLUMNS.forEach(([name, text]) => row.append(cell("td", text(trade), name.startsWith("net") && trade.closed ? (trade.net > 0 ? "up" : "down") : "")));
      row.tabIndex = 0;
      row.classList.toggle("chosen", trade === chosen);
      const choose = () => { chosen = trade; show(trade.symbol, trade); table(); };
      row.addEventListener("click", choose);
      row.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(); });
      body.append(row);
    }
    get("trades").replaceChildren(head, body);
    const pages = Math.max(1, Math.ceil(trades.length / PAGE));
    get("page").textContent = `${page + 1} of ${pages} (${trades.length.toLocaleString("en")} trades)`;
    get("newer").disabled = page === 0;
    get("older").disabled = page + 1 >= pages;
  };

  const browse = () => {
    if (!trades.length) return;
    const counts = {};
    for (const trade of trades) counts[trade.symbol] = (counts[trade.symbol] ?? 0) + 1;
    const symbols = Object.keys(paths).sort((a, b) => counts[b] - counts[a]);
    for (const symbol of symbols) get("symbol").append(new Option(`${symbol} (${counts[symbol]})`, symbol));
    get("symbol").addEventListener("change", () => { chosen = null; table(); show(get("symbol").value, null); });
    get("whole").addEventListener("click", () => { chosen = null; table(); show(get("symbol").value, null); });
    get("newer").addEventListener("click", () => { page -= 1; table(); });
    get("older").addEventListener("click", () => { page += 1; table(); });
    chosen = trades.find((trade) => trade.closed) ?? trades[0];
    table();
    show(chosen.symbol, chosen);
  };

  drawAll();
  browse();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { drawAll(); if (trades.length) show(get("symbol").value, chosen); });
  document.documentElement.dataset.drawn = "yes";
})();
