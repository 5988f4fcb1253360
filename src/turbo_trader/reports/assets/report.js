"use strict";
// Draws the charts of the page's data, and the trades on their prices. Every text of the data becomes text, never markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const narrow = () => window.innerWidth < 760;
  const theme = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const NAMES = new Set(["one", "two", "three", "soft", "up", "down", "ink", "muted"]);

  // Colours of figures are names of the theme.
  const coloured = (value, key) => {
    if (Array.isArray(value)) return key === "x" || key === "y" ? value : value.map((each) => coloured(each, key));
    if (value && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, coloured(each, name)]));
    return key === "color" && NAMES.has(value) ? theme(value) : value;
  };

  const axis = (given) => ({
    gridcolor: theme("line"), linecolor: theme("line"), zerolinecolor: theme("line"), automargin: true, ...given,
    title: given?.title ? { ...given.title, font: { size: 12, color: theme("muted") } } : undefined,
  });

  const layout = (given) => {
    const found = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 48, r: narrow() ? 12 : 24, t: 28, b: 40 },
      font: { family: "system-ui, sans-serif", size: narrow() ? 11 : 12, color: theme("ink") },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, dragmode: narrow() ? false : "zoom", hoverlabel: { align: "left" },
      ...coloured(given),
    };
    for (const name of ["xaxis", "yaxis", "xaxis2", "yaxis2"])
      if (name.endsWith("axis") || given[name]) found[name] = axis(found[name]);
    return found;
  };

  const config = { responsive: true, displaylogo: false, displayModeBar: narrow() ? false : "hover", modeBarButtonsToRemove: ["select2d", "lasso2d"] };
  const draw = (place, figure) => Plotly.react(place, coloured(figure.data), layout(figure.layout), config);

  const drawAll = () => {
    for (const place of document.querySelectorAll("[data-chart]")) {
      const figure = data.charts[place.dataset.chart];
      if (figure.data.length) draw(place, figure);
      else place.remove();
    }
  };

  // -- trades on prices

  const trades = data.trades.map((row) => Object.fromEntries(data.columns.map((name, i) => [name, row[i]])));
  const paths = Object.fromEntries(Object.entries(data.paths).map(([symbol, path]) => {
    let at = 0;
    return [symbol, { x: path.t.map((step) => (at += step) * 1000), y: path.p }];
  }));
  const last = Math.max(0, ...trades.map((t) => Math.max(t.opened, t.closed)), ...Object.values(paths).map((p) => p.x.at(-1) ?? 0));
  const at = (ms) => new Date(ms).toISOString().slice(0, 19).replace("T", " ");
  const signed = (value, digits) => (value > 0 ? "+" : "") + value.toFixed(digits);

  // Steps over time as one line: each trade's own, a gap between them.
  const steps = (of, name) => {
    const x = [], y = [];
    for (const trade of of) {
      const end = trade.closed || last, found = trade[name];
      found.forEach(([from, price], i) => {
        const until = Math.min(i + 1 < found.length ? found[i + 1][0] : end, end);
        x.push(Math.max(from, trade.opened), until);
        y.push(price, price);
      });
      x.push(null);
      y.push(null);
    }
    return { x, y };
  };

  const marks = (of, when, price, extra) => ({
    type: "scatter", mode: "markers", x: of.map(when), y: of.map(price), hoverinfo: "text", ...extra,
  });

  const line = (name, points, colour, dash) => ({
    type: "scatter", mode: "lines", name, ...points, connectgaps: false, line: { color: colour, width: 1.5, dash }, hoverinfo: "skip",
  });

  const priceFigure = (symbol, range) => {
    // Around one trade only its neighbours are drawn: thousands of others would make the page slow.
    const seen = (trade) => !range || (trade.opened <= range[1] && (trade.closed || last) >= range[0]);
    const of = trades.filter((trade) => trade.symbol === symbol && seen(trade)), closed = of.filter((trade) => trade.closed);
    const zones = of.flatMap((trade) => trade.zones.map(([ms, what]) => ({ ms, what, trade })));
    const priceAt = (ms) => {
      const path = paths[symbol];
      let low = 0, high = path.x.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (path.x[middle] < ms) low = middle + 1;
        else high = middle;
      }
      return path.y[low];
    };
    const said = (t) => `${t.direction > 0 ? "long" : "short"} ${t.tier}, ${t.qty} at ${t.entry}<br>${at(t.opened)}`;
    return {
      data: [
        { type: "scatter", mode: "lines", name: "mid", ...paths[symbol], line: { color: "muted", width: 1 }, hovertemplate: "%{y}<extra></extra>" },
        line("stop", steps(of, "stops"), "down"),
        line("target", steps(of, "targets"), "up", "dot"),
        ...[1, -1].map((side) => {
          const these = of.filter((trade) => trade.direction === side);
          return marks(these, (t) => t.opened, (t) => t.entry, {
            name: side > 0 ? "long" : "short", text: these.map(said),
            marker: { symbol: side > 0 ? "triangle-up" : "triangle-down", size: 11, color: side > 0 ? "one" : "two", line: { width: 1, color: "ink" } },
          });
        }),
        ...[true, false].map((won) => {
          const these = closed.filter((trade) => trade.net > 0 === won);
          return marks(these, (t) => t.closed, (t) => t.exit, {
            name: won ? "closed, won" : "closed, lost", text: these.map((t) => `${t.reason}: ${signed(t.bp, 1)} bp, ${signed(t.net, 4)} USDT<br>${at(t.closed)}`),
            marker: { symbol: "x", size: 8, color: won ? "up" : "down" },
          });
        }),
        marks(zones, (z) => z.ms, (z) => priceAt(z.ms), {
          name: "zone", text: zones.map((z) => `${z.what} reached<br>${at(z.ms)}`), marker: { symbol: "diamond-open", size: 8, color: "three" },
        }),
      ],
      layout: { xaxis: { type: "date", ...(range ? { range } : {}) }, yaxis: { title: { text: symbol }, ...(range ? within(symbol, range) : {}) }, hovermode: "closest" },
    };
  };

  // The prices that are seen in a stretch of time, with the exits of its trades.
  const within = (symbol, [from, until]) => {
    const path = paths[symbol];
    const seen = path.y.filter((_, i) => path.x[i] >= from && path.x[i] <= until);
    for (const trade of trades)
      if (trade.symbol === symbol && trade.opened <= until && (trade.closed || last) >= from)
        seen.push(trade.entry, ...(trade.closed ? [trade.exit] : []), ...trade.stops.map((s) => s[1]), ...trade.targets.map((s) => s[1]));
    if (!seen.length) return {};
    const low = Math.min(...seen), high = Math.max(...seen), room = (high - low) * 0.06 || high * 0.001;
    return { range: [low - room, high + room] };
  };

  const PAGE = 15;
  let page = 0, chosen = null;
  const get = (id) => document.getElementById(id);

  const show = (symbol, trade) => {
    get("symbol").value = symbol;
    const room = trade ? Math.max(15 * 60e3, ((trade.closed || last) - trade.opened) * 0.6) : 0;
    draw(get("price"), priceFigure(symbol, trade ? [trade.opened - room, (trade.closed || last) + room] : null));
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
