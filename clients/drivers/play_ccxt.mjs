// ccxt for JavaScript: `rest`, or `pro` (streams and trade socket), through unified methods alone.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const where = JSON.parse(readFileSync(0, "utf8"));
const ccxt = createRequire(`${where.home}/`)("ccxt");
const pro = where.mode === "pro";
const PAIRS = { "BTC/USDT:USDT": 0.01, "ETH/USDT:USDT": 0.1 };
const errors = [];
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

function at(urls) {
  if (typeof urls === "string") return `${where.stream}/v5/${urls.split("/v5/")[1] ?? ""}`;
  return Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, at(url)]));
}

function made() {
  const client = new (pro ? ccxt.pro.bybit : ccxt.bybit)({ apiKey: where.key, secret: where.secret });
  const api = Object.fromEntries(Object.keys(client.urls.api).filter((name) => name !== "ws").map((name) => [name, where.url]));
  client.urls.api = pro ? { ...api, ws: at(client.urls.api.ws) } : api;
  return client;
}

const client = made();
const create = (...asked) => (pro ? client.createOrderWs(...asked) : client.createOrder(...asked));
const cancel = (id, pair) => (pro ? client.cancelOrderWs(id, pair) : client.cancelOrder(id, pair));
const edit = (...asked) => (pro ? client.editOrderWs(...asked) : client.editOrder(...asked));
const near = async (pair, factor) => Number(client.priceToPrecision(pair, (await client.fetchTicker(pair)).last * factor));

function expect(found, wanted) {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) errors.push(`found ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
}

async function rounds(pair, qty) {
  await client.setLeverage(5, pair);
  for (let n = 0; n < 6; n += 1) {
    const [side, back] = n % 2 ? ["buy", "sell"] : ["sell", "buy"];
    await create(pair, "market", side, qty);
    await create(pair, "market", back, qty, undefined, { reduceOnly: true });
  }
  const resting = await create(pair, "limit", "buy", qty, await near(pair, 0.98), { postOnly: true });
  await edit(resting.id, pair, "limit", "buy", 2 * qty, await near(pair, 0.975));
  expect((await client.fetchOpenOrder(resting.id, pair)).amount, 2 * qty);
  await cancel(resting.id, pair);
  const trigger = { triggerPrice: await near(pair, 1.05), triggerDirection: "ascending" };
  const conditional = await create(pair, "market", "buy", qty, undefined, trigger);
  const waiting = await client.fetchOpenOrders(pair, undefined, undefined, { trigger: true });
  expect(waiting.map((order) => order.id), [conditional.id]);
  await cancel(conditional.id, pair);
  const item = { symbol: pair, type: "limit", side: "buy", amount: qty, price: await near(pair, 0.97) };
  await client.createOrders([item, item, item]);
  await client.cancelAllOrders(pair);
  expect((await client.fetchOpenOrders(pair)).length, 0);
}

async function leaveSomething() {
  const [btc, eth] = Object.keys(PAIRS);
  const exits = { stopLoss: { triggerPrice: await near(btc, 0.9) }, takeProfit: { triggerPrice: await near(btc, 1.1) } };
  await create(btc, "market", "buy", 0.02, undefined, exits);
  await create(eth, "market", "sell", 0.2);
  await create(eth, "limit", "buy", 0.1, await near(eth, 0.95));
}

const usdt = (coins) => coins.find((coin) => coin.coin === "USDT").walletBalance;
const signed = (row) => (row.side === "short" ? -1 : 1) * (row.contracts ?? 0);

async function byRest() {
  const positions = {};
  for (const row of await client.fetchPositions()) positions[row.info.symbol] = signed(row);
  const orders = new Set();
  for (const pair of Object.keys(PAIRS))
    for (const params of [{}, { trigger: true }])
      for (const order of await client.fetchOpenOrders(pair, undefined, undefined, params)) orders.add(order.id);
  return { positions, balance: usdt((await client.fetchBalance()).info.result.list[0].coin), orders: [...orders] };
}

const watched = { orders: {}, positions: {}, balance: "0", books: 0 };
async function forever(watch) {
  for (;;) await watch();
}
const watches = [
  async () => { for (const order of await client.watchOrders()) watched.orders[order.id] = order.status; },
  async () => { for (const row of await client.watchPositions()) watched.positions[row.info.symbol] = signed(row); },
  async () => { watched.balance = usdt((await client.watchBalance()).info[0].coin); },
  async () => { await client.watchOrderBook("BTC/USDT:USDT"); watched.books += 1; },
];

async function main() {
  if (pro) await client.loadHttpProxyAgent(); // ccxt asks for it where streams are plain ws://
  await client.loadMarkets();
  if (pro) for (const watch of watches) forever(watch).catch((error) => errors.push(String(error).slice(0, 200)));
  if (pro) await wait(3000); // nothing is sent of what was before a subscription
  for (const [pair, qty] of Object.entries(PAIRS)) await rounds(pair, qty);
  await client.fetchOHLCV("BTC/USDT:USDT", "1m", undefined, 50);
  expect((await client.fetchMyTrades("BTC/USDT:USDT")).length >= 12, true);
  await leaveSomething();
  await wait(2000);
  const open = Object.keys(watched.orders).filter((id) => watched.orders[id] === "open");
  const believed = pro ? { positions: watched.positions, balance: watched.balance, orders: open } : await byRest();
  if (pro) expect(watched.books > 10, true);
  console.log(JSON.stringify({ ...believed, errors }));
  process.exit(0);
}

main().catch((error) => {
  console.error(String(error?.stack ?? error).slice(0, 500));
  process.exit(1);
});
