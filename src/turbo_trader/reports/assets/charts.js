"use strict";
// Figures in the colours of the page, and trades on their prices; for the report and for the dashboard.
const Charts = (() => {
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

  // -- trades on prices

  const named = (columns, rows) => rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));
  const expanded = (path) => {
    let at = 0;
    return { x: path.t.map((step) => (at += step) * 1000), y: path.p };
  };
  const at = (ms) => new Date(ms).toISOString().slice(0, 19).replace("T", " ");
  const signed = (value, digits) => (value > 0 ? "+" : "") + value.toFixed(digits);

  // Steps over time as one line: each trade's own, a gap between them.
  const steps = (of, name, last) => {
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

  // The path of a symbol with its trades (rows of reports.paths.COLUMNS); `last`: ms up to which open ones are drawn.
  const priceFigure = ({ symbol, path, trades, last, range }) => {
    // Around one trade only its neighbours are drawn: thousands of others would make the page slow.
    const seen = (trade) => !range || (trade.opened <= range[1] && (trade.closed || last) >= range[0]);
    const of = trades.filter((trade) => trade.symbol === symbol && seen(trade)), closed = of.filter((trade) => trade.closed);
    const zones = of.flatMap((trade) => trade.zones.map(([ms, what]) => ({ ms, what, trade })));
    const priceAt = (ms) => {
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
        { type: "scatter", mode: "lines", name: "mid", ...path, line: { color: "muted", width: 1 }, hovertemplate: "%{y}<extra></extra>" },
        line("stop", steps(of, "stops", last), "down"),
        line("target", steps(of, "targets", last), "up", "dot"),
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
      layout: { xaxis: { type: "date", ...(range ? { range } : {}) }, yaxis: { title: { text: symbol }, ...(range ? within(path, of, last, range) : {}) }, hovermode: "closest" },
    };
  };

  // The prices that are seen in a stretch of time, with the exits of its trades.
  const within = (path, of, last, [from, until]) => {
    const seen = path.y.filter((_, i) => path.x[i] >= from && path.x[i] <= until);
    for (const trade of of)
      if (trade.opened <= until && (trade.closed || last) >= from)
        seen.push(trade.entry, ...(trade.closed ? [trade.exit] : []), ...trade.stops.map((s) => s[1]), ...trade.targets.map((s) => s[1]));
    if (!seen.length) return {};
    const low = Math.min(...seen), high = Math.max(...seen), room = (high - low) * 0.06 || high * 0.001;
    return { range: [low - room, high + room] };
  };

  return { at, draw, expanded, named, priceFigure, signed };
})();
