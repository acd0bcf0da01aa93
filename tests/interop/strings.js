// What JavaScript libraries read in session strings, and how they write the same again.
//
// node ../strings.js LIBRARY, in the library's folder; in: a line for each string; out: a line of
// JSON for each: {"dc_id", "host", "port", "auth_key", "user_id", "is_bot", "test_mode", "again"},
// null for what the library's strings do not hold, or {"error": text}. Nothing is judged here.
"use strict";

const path = require("node:path");
const readline = require("node:readline");
const { pathToFileURL } = require("node:url");
const ours = require("node:module").createRequire(path.join(process.cwd(), "here.js"));

const library = process.argv[2];

async function gramjs(text) {
  const { StringSession } = ours(`${library}/sessions`);
  const session = new StringSession(text);
  await session.load();
  return {
    dc_id: session.dcId,
    host: session.serverAddress,
    port: session.port,
    auth_key: session.authKey.getKey().toString("hex"),
    user_id: null,
    is_bot: null,
    test_mode: null,
    again: session.save(),
  };
}

async function mtcute(text) {
  const utils = path.join(process.cwd(), "node_modules/@mtcute/core/utils.js");
  const { readStringSession, writeStringSession } = await import(pathToFileURL(utils));
  const session = readStringSession(text);
  const { main } = session.primaryDcs;
  return {
    dc_id: main.id,
    host: main.ipAddress,
    port: main.port,
    auth_key: Buffer.from(session.authKey).toString("hex"),
    user_id: session.self ? session.self.userId : 0,
    is_bot: session.self ? session.self.isBot : false,
    test_mode: Boolean(main.testMode),
    again: writeStringSession(session),
  };
}

(async () => {
  for await (const text of readline.createInterface({ input: process.stdin })) {
    let answer;
    try {
      answer = await (library === "mtcute" ? mtcute(text) : gramjs(text));
    } catch (error) {
      answer = { error: String(error) };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
})();
