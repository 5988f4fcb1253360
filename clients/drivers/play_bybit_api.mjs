// bybit-api for Node.js: REST, public and private streams, the trade socket, with time sync. It believes its private streams.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const where = JSON.parse(readFileSync(0, "utf8"));
const { RestClientV5, WebsocketClient, WebsocketAPIClient, DefaultLogger } = createRequire(`${where.home}/`)("bybit-api");
const quiet = { ...DefaultLogger, trace: () => {}, info: () => {}, error: (...said) => errors.push(JSON.stringify(said).slice(0, 200)) };
const errors = [];
const keys = { key: where.key, secret: where.secret, recv_window: 5000 };
const rest = new RestClientV5({ ...keys, baseUrl: where.url, enable_time_sync: true, syncTimeBeforePrivateRequests: true });
const SYMBOLS = { BTCUSDT: ["0.01", 1], ETHUSDT: ["0.1", 2] };
const linear = (symbol) => ({ category: "linear", symbol });
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

async function until(so, what, seconds = 30) {
  const ends = Date.now() + seconds * 1000;
  while (!so()) {
    if (Date.now() > ends) throw new Error(`not in ${seconds} s: ${what}`);
    await wait(20);
  }
}

async function ok(answer, ...allowed) {
  const found = await answer;
  if (found.retCode && !allowed.includes(found.retCode)) throw new Error(`${found.retCode} ${found.retMsg}`);
  return found.result;
}

const books = { orders: {}, positions: {}, balance: "0", topics: {} };
function take(message) {
  books.topics[message.topic] = (books.topics[message.topic] ?? 0) + 1;
  for (const row of message.topic === "order" ? message.data : []) books.orders[row.orderId] = row.orderStatus;
  for (const row of message.topic === "position" ? message.data : [])
    books.positions[row.symbol] = row.side === "Sell" ? `-${row.size}` : row.size;
  for (const row of message.topic === "wallet" ? message.data : [])
    books.balance = row.coin.find((coin) => coin.coin === "USDT").walletBalance;
}

function stream(path, signed) {
  const client = new WebsocketClient({ ...(signed ? keys : {}), market: "v5", wsUrl: `${where.stream}${path}` }, quiet);
  client.on("update", take);
  client.on("exception", (error) => errors.push(`stream: ${JSON.stringify(error).slice(0, 200)}`));
  return client;
}

async function price(symbol, factor) {
  const found = await ok(rest.getTickers(linear(symbol)));
  return (Number(found.list[0].lastPrice) * factor).toFixed(SYMBOLS[symbol][1]);
}

async function order(symbol, side, orderType, qty, more = {}) {
  return (await ok(rest.submitOrder({ ...linear(symbol), side, orderType, qty, ...more }))).orderId;
}

const status = (id, ...wanted) => until(() => wanted.includes(books.orders[id]), `${id} ${wanted}: ${books.orders[id]}`);

async function rounds(symbol, trading) {
  const [qty] = SYMBOLS[symbol];
  await ok(rest.setLeverage({ ...linear(symbol), buyLeverage: "5", sellLeverage: "5" }), 110043);
  for (let n = 0; n < 6; n += 1) {
    const [side, back] = n % 2 ? ["Buy", "Sell"] : ["Sell", "Buy"];
    await status(await order(symbol, side, "Market", qty), "Filled");
    await status(await order(symbol, back, "Market", qty, { reduceOnly: true }), "Filled");
  }
  const resting = await order(symbol, "Buy", "Limit", qty, { price: await price(symbol, 0.98), timeInForce: "PostOnly" });
  await status(resting, "New");
  await ok(rest.amendOrder({ ...linear(symbol), orderId: resting, price: await price(symbol, 0.975) }));
  await ok(rest.cancelOrder({ ...linear(symbol), orderId: resting }));
  await status(resting, "Cancelled");
  const item = { symbol, side: "Buy", orderType: "Limit", qty, price: await price(symbol, 0.97) };
  const batch = await ok(rest.batchSubmitOrders("linear", [item, item]));
  await ok(rest.cancelAllOrders(linear(symbol)));
  for (const row of batch.list) await status(row.orderId, "Cancelled");
  const over = (await trading.submitNewOrder({ ...linear(symbol), ...item, orderType: "Limit" })).data.orderId;
  await status(over, "New");
  await trading.amendOrder({ ...linear(symbol), orderId: over, price: await price(symbol, 0.96) });
  await trading.cancelOrder({ ...linear(symbol), orderId: over });
  await status(over, "Cancelled");
}

async function main() {
  const open = stream("/v5/public/linear", false);
  const own = stream("/v5/private", true);
  const trading = new WebsocketAPIClient({ ...keys, wsUrl: `${where.stream}/v5/trade`, attachEventListeners: false }, quiet);
  const topics = Object.keys(SYMBOLS).flatMap((symbol) => [`orderbook.50.${symbol}`, `publicTrade.${symbol}`, `tickers.${symbol}`, `kline.1.${symbol}`]);
  await Promise.all([...open.subscribeV5(topics, "linear"), ...own.subscribeV5(["order", "execution", "position", "wallet"], "linear")]);
  await until(() => topics.every((topic) => books.topics[topic]), `a frame of each topic: ${JSON.stringify(books.topics)}`, 60);
  for (const symbol of Object.keys(SYMBOLS)) await rounds(symbol, trading);
  const exits = { stopLoss: await price("BTCUSDT", 0.9), takeProfit: await price("BTCUSDT", 1.1) };
  await status(await order("BTCUSDT", "Buy", "Market", "0.02", exits), "Filled");
  await status(await order("ETHUSDT", "Sell", "Market", "0.2"), "Filled");
  await ok(rest.setTradingStop({ ...linear("ETHUSDT"), tpslMode: "Full", positionIdx: 0, stopLoss: await price("ETHUSDT", 1.1) }));
  await status(await order("ETHUSDT", "Buy", "Limit", "0.1", { price: await price("ETHUSDT", 0.95) }), "New");
  await wait(1000);
  const alive = ["New", "PartiallyFilled", "Untriggered"];
  const orders = Object.keys(books.orders).filter((id) => alive.includes(books.orders[id]));
  console.log(JSON.stringify({ positions: books.positions, balance: books.balance, orders, errors }));
  process.exit(0);
}

main().catch((error) => {
  console.error(error?.stack ?? JSON.stringify(error));
  process.exit(1);
});
