"use strict";
// The page of the daemons. It asks for plain values every two seconds and writes them as text, never as markup.
(() => {
  const LIVE_MS = 2000, FIGURES_MS = 15000;
  const { at, signed } = Charts;
  const get = (id) => document.getElementById(id);
  const main = get("main");

  const el = (kind, given = {}, ...children) => {
    const found = document.createElement(kind);
    for (const [name, value] of Object.entries(given)) {
      if (name === "text") found.textContent = value;
      else if (name === "class") found.className = value;
      else if (name.startsWith("on")) found.addEventListener(name.slice(2), value);
      else found.setAttribute(name, value);
    }
    found.append(...children.filter((each) => each !== null));
    return found;
  };

  const ask = async (path, body) => {
    const sent = body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const answer = await fetch(path, { ...sent, cache: "no-store" });
    if (answer.status === 401) location.assign("/login");
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.error ?? `status ${answer.status}`);
    return found;
  };

  const utc = (ms) => `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const money = (value, digits = 4) => Number(value).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const percent = (value, digits = 1) => `${(Number(value) * 100).toFixed(digits)} %`;
  const path = (name, rest = "") => `/api/daemons/${encodeURIComponent(name)}${rest}`;
  const chosen = () => decodeURIComponent(location.hash.slice(1));

  const table = (header, rows, prose = false) =>
    el("div", { class: "scroll" }, el("table", prose ? { class: "prose" } : {},
      el("thead", {}, el("tr", {}, ...header.map((name) => el("th", { text: name })))),
      el("tbody", {}, ...rows.map((row) => (row instanceof Node ? row : el("tr", {}, ...row.map((cell) => el("td", { text: cell }))))))));

  const cards = (given) => el("div", { class: "cards" }, ...given.map((card) =>
    el("div", { class: `card ${card.mood ?? ""}` }, el("span", { text: card.name }), el("b", { text: card.value }), el("small", { text: card.beside ?? "" }))));

  const section = (title, ...parts) => el("section", {}, el("h2", { text: title }), ...parts);

  // -- commands, each confirmed

  const MEANINGS = {
    flatten: ["Emergency stop", "Cancels entries, closes every position of this daemon at the market, and halts it until it is resumed."],
    "all/flatten": ["Emergency stop of all", "Cancels entries and closes every position of every daemon of this user at the market, and halts them until they are resumed."],
    "all/halt": ["Halt all", "No new entries of any daemon of this user until it is resumed; open positions are managed on."],
    halt: ["Halt", "No new entries until it is resumed; open positions are managed on."],
    resume: ["Resume", "Lifts a halt set by a person or by the edge watchdog. A limit's halt stays."],
  };

  const confirmed = (name, verb) => {
    const [title, meaning] = MEANINGS[verb];
    get("question").textContent = `${title}: ${name}`;
    get("meaning").textContent = meaning;
    get("asked").textContent = name;
    get("typed").value = get("failed").textContent = "";
    get("yes").textContent = title.toLowerCase();
    get("yes").disabled = true;
    get("typed").oninput = () => { get("yes").disabled = get("typed").value !== name; };
    get("yes").onclick = async () => {
      get("yes").disabled = true;
      try {
        await ask(verb.startsWith("all/") ? `/api/${verb}` : path(name, `/${verb}`), { confirm: name });
        get("confirm").close();
        await refresh();
      } catch (error) {
        get("failed").textContent = error.message;
      }
    };
    get("no").onclick = () => get("confirm").close();
    get("confirm").showModal();
  };

  const button = (name, verb, kind = "") => el("button", { type: "button", class: kind, "data-verb": verb, text: MEANINGS[verb][0].toLowerCase(), onclick: () => confirmed(name, verb) });
  const buttons = (status) => (status.alive && !status.elsewhere ? [button(status.name, "flatten", "danger"), button(status.name, "halt"), button(status.name, "resume")] : []);

  // -- the overview

  const head = (status, link) => {
    const view = status.view;
    const title = el("h2", {}, el("span", { class: status.alive ? "dot" : "dot dead" }), link ? el("a", { href: `#${encodeURIComponent(status.name)}`, text: status.name }) : document.createTextNode(status.name));
    const where = status.elsewhere ? status.elsewhere : `process ${status.pid}`;
    const time = status.venue_time ? `, market time ${utc(status.venue_time / 1e6)}` : "";
    const text = status.alive ? `${status.mode}, ${where}${time}` : `${status.mode}: dead`;
    return [el("div", { class: "daemon" }, title, el("span", { class: "lead grow", text }), ...buttons(status)),
      status.error ? el("p", { class: "problem", text: status.error }) : el("p", { text: `entries: ${status.entries}` }),
      view ? cards(heads(status)) : null];
  };

  const heads = ({ view, trader }) => {
    const result = Number(view.session_result), net = Number(trader.net_pnl);
    const stages = Object.entries(view.stages).map(([tier, stage]) => `${tier} ${stage}`).join(", ");
    return [
      { name: "Equity, USDT", value: money(view.equity, 2), beside: `began with ${money(trader.start_equity, 2)}` },
      { name: "Session", value: percent(result, 2), beside: `capital tier ${view.capital_tier || "-"}`, mood: result > 0 ? "up" : result < 0 ? "down" : "" },
      { name: "Net, USDT", value: signed(net, 4), beside: `fees ${money(trader.fees)}`, mood: net > 0 ? "up" : net < 0 ? "down" : "" },
      { name: "Trades", value: String(trader.trades), beside: `${trader.wins} won, ${trader.losses} lost` },
      { name: "Open positions", value: String(view.positions.length), beside: stages ? `stage: ${stages}` : "full size" },
    ];
  };

  const overview = async () => {
    const found = await ask("/api/overview");
    navigate(found.daemons);
    const rows = found.runs.map((run) => el("tr", {}, el("td", {}, el("a", { href: `/report/${encodeURIComponent(run.name)}`, text: run.name })),
      ...[run.mode || "-", run.error || run.state, (run.begun ?? "-").replace("T", " ").replace("Z", ""), String(run.trades)].map((text) => el("td", { text }))));
    const living = found.daemons.filter((each) => each.alive && !each.elsewhere).length;
    main.replaceChildren(
      ...(living > 1 ? [el("div", { class: "tools", id: "all" }, button("all", "all/flatten", "danger"), button("all", "all/halt"))] : []),
      ...(found.daemons.length ? found.daemons.map((each) => el("section", { "data-daemon": each.name }, ...head(each, true).filter(Boolean))) : [section("No daemon is running", el("p", { text: "turbo-trader run starts one; it appears here by itself." }))]),
      ...(found.guards.length ? [section("Guards", table(["guard", "mode", "process", "watches"], found.guards.map((each) => [each.name, each.mode, each.alive ? String(each.pid) : "dead", each.folder]), true))] : []),
      el("section", { class: "runs" }, el("h2", { text: "Runs and backtests" }), rows.length ? table(["report", "mode", "state", "begun, UTC", "trades"], rows, true) : el("p", { text: "none yet" })),
    );
  };

  const navigate = (daemons) => get("daemons").replaceChildren(...daemons.map((each) =>
    el("a", { href: `#${encodeURIComponent(each.name)}`, class: each.name === chosen() ? "chosen" : "", text: each.alive ? each.name : `${each.name} (dead)` })));

  // -- one daemon

  let shown = "", figuresAt = 0, newest = null;

  const frame = (name) => {
    main.replaceChildren(
      el("section", { id: "head", "data-daemon": name }),
      section("Positions", el("div", { id: "positions" }), el("div", { id: "prices" })),
      section("Limits and evidence", el("div", { id: "limits", class: "bars" }), el("p", { id: "evidence", class: "lead" })),
      section("Newest trades", el("div", { id: "trades" })),
      section("Equity and drawdown", chart("equity", true)),
      section("Funnel", el("div", { class: "pair" }, chart("funnel"), chart("gates")), el("div", { id: "tables-funnel" })),
      section("Why it did or did not trade", el("div", { class: "tools" }, el("label", { text: "Symbol " }, el("select", { id: "symbol", onchange: () => explain(name) }))), el("pre", { id: "explained" })),
      section("Calibration and size by evidence", el("div", { class: "pair" }, chart("confidence"), chart("p_tp")), chart("sizes"), el("div", { id: "tables-evidence" })),
      section("Log", el("pre", { id: "log" })),
    );
    shown = name;
    figuresAt = 0;
    newest = null;
  };

  const chart = (name, tall = false) => el("div", {}, el("div", { class: tall ? "chart tall" : "chart", "data-chart": name }));

  const daemon = async (name) => {
    const found = await ask(path(name));
    if (chosen() !== name) return;
    if (shown !== name || !get("head")) frame(name);
    const status = found.status, trades = Charts.named(found.columns, found.trades);
    get("head").replaceChildren(...head(status, false).filter(Boolean));
    positions(status, trades);
    prices(found, trades, status);
    limits(status);
    newestTrades(trades.filter((trade) => trade.closed));
    get("log").textContent = (await ask(path(name, "/log"))).lines.join("\n") || "no line yet";
    if (Date.now() - figuresAt > FIGURES_MS) {
      figuresAt = Date.now();
      figures(name);
    }
  };

  const positions = (status, trades) => {
    const held = status.view?.positions ?? [];
    const kept = trades.filter((trade) => !trade.closed);
    const rows = status.view
      ? held.map((p) => [p.symbol, p.direction > 0 ? "long" : "short", p.qty, p.entry, p.price ?? "-", p.stop ?? "none", p.target ?? "-", `${p.zone}${p.extensions ? " +" + p.extensions : ""}`, `${Math.floor(p.seconds / 60)} min`, unrealised(p), p.reason || "-"])
      : kept.map((t) => [t.symbol, t.direction > 0 ? "long" : "short", t.qty, String(t.entry), "-", String(t.stops.at(-1)?.[1] ?? "-"), String(t.targets.at(-1)?.[1] ?? "-"), "-", at(t.opened), "-", "-"]);
    const note = !status.view && kept.length ? el("p", { class: "problem", text: "As the journal has them: the daemon does not answer." }) : null;
    get("positions").replaceChildren(...[note, rows.length ? table(["symbol", "side", "qty", "entry", "now", "stop", "target", "zone", "since", "USDT", "closing"], rows) : el("p", { text: "No position is open." })].filter(Boolean));
  };

  const unrealised = (p) => (p.price === null ? "-" : signed(p.direction * p.qty * (p.price - p.entry), 4));

  const prices = (found, trades, status) => {
    const place = get("prices"), held = trades.filter((trade) => !trade.closed && found.paths[trade.symbol]);
    const wanted = held.map((trade) => trade.symbol);
    for (const each of [...place.children]) if (!wanted.includes(each.dataset.symbol)) each.remove();
    for (const trade of held) {
      let chart = [...place.children].find((each) => each.dataset.symbol === trade.symbol);
      if (!chart) {
        chart = el("div", { class: "chart", "data-symbol": trade.symbol });
        place.append(chart);
      }
      const path = Charts.expanded(found.paths[trade.symbol]);
      const last = Math.max(path.x.at(-1) ?? 0, (status.venue_time ?? 0) / 1e6, trade.opened);
      Charts.draw(chart, Charts.priceFigure({ symbol: trade.symbol, path, trades: [trade], last, range: [trade.opened - 20 * 60e3, last] }));
    }
  };

  const limits = (status) => {
    const used = Object.entries(status.view?.limits ?? {});
    get("limits").replaceChildren(...used.map(([name, share]) => {
      const meter = el("meter", { min: 0, max: 1, low: 0.6, high: 0.8, optimum: 0, value: Math.max(0, Number(share)) });
      return el("div", {}, document.createTextNode(`${name}: ${percent(share, 0)} used`), meter);
    }));
    get("evidence").textContent = status.view?.evidence || (status.view ? "SIZE=full: evidence decides no size." : "");
  };

  const newestTrades = (trades) => {
    const first = trades[0]?.id ?? "", fresh = new Set();
    if (newest !== null && first !== newest)
      for (const trade of trades) {
        if (trade.id === newest) break;
        fresh.add(trade.id);
      }
    newest = first;
    const rows = trades.map((t) => el("tr", { class: fresh.has(t.id) ? "fresh" : "" },
      ...[at(t.closed), t.symbol, `${t.direction > 0 ? "long" : "short"} ${t.tier}`, String(t.entry), String(t.exit), t.reason, t.minutes.toFixed(0), signed(t.bp, 1)].map((text) => el("td", { text })),
      el("td", { class: t.net > 0 ? "up" : "down", text: signed(t.net, 4) })));
    get("trades").replaceChildren(rows.length ? table(["closed, UTC", "symbol", "side", "entry", "exit", "closed by", "min", "bp", "net, USDT"], rows) : el("p", { text: "No trade yet." }));
  };

  const figures = async (name) => {
    const found = await ask(path(name, "/figures"));
    if (shown !== name || chosen() !== name) return;
    if (found.error) return;
    for (const place of main.querySelectorAll("[data-chart]")) {
      const figure = found.charts[place.dataset.chart];
      await new Promise((done) => setTimeout(done)); // a click between two charts is answered
      if (figure.data.length) Charts.draw(place, figure);
      else place.textContent = "nothing to draw yet";
    }
    const made = (names) => names.filter((each) => found.tables[each]).map((each) => el("details", {}, el("summary", { text: each }), table(found.tables[each].header, found.tables[each].rows, found.tables[each].prose)));
    get("tables-funnel").replaceChildren(...made(["By symbol", "How trades ended", "Beside the target figures"]));
    get("tables-evidence").replaceChildren(...made(["What each belief said", "Stages"]));
    const symbols = found.tables["By symbol"]?.rows.map((row) => row[0]) ?? [];
    if (get("symbol").options.length !== symbols.length) {
      get("symbol").replaceChildren(...symbols.map((each) => new Option(each, each)));
      explain(name);
    }
  };

  const explain = async (name) => {
    const symbol = get("symbol").value;
    if (!symbol) return;
    const text = await ask(path(name, `/explain/${encodeURIComponent(symbol)}`)).then((found) => found.lines.join("\n"), (error) => error.message);
    if (get("symbol")?.value === symbol) get("explained").textContent = text;
  };

  // -- going on

  let busy = false;
  const refresh = async () => {
    if (busy) return;
    busy = true;
    try {
      const name = chosen();
      if (name) await Promise.all([daemon(name), ask("/api/overview").then((found) => navigate(found.daemons))]);
      else await overview();
      get("state").textContent = `page updated ${utc(Date.now()).slice(11)}`;
      get("state").classList.remove("problem");
    } catch (error) {
      get("state").textContent = error instanceof TypeError ? "the dashboard does not answer: what is shown is old" : error.message;
      get("state").classList.add("problem");
    } finally {
      busy = false;
    }
  };

  get("leave").addEventListener("click", async () => { await ask("/logout", {}); location.assign("/login"); });
  window.addEventListener("hashchange", () => { main.replaceChildren(); shown = ""; refresh(); });
  setInterval(() => { if (!document.hidden && !get("confirm").open) refresh(); }, LIVE_MS);
  refresh();
})();
