// Drives GramJS for the interop tests: JSON lines in, JSON lines out.
//
// in:  {"id": 1, "client": "c1", "op": "call", ...}
// out: {"id": 1, "ok": value} | {"id": 1, "error": {"words": {"code", "message"} | null, "text"}}
//      {"client": "c1", "push": updates} | {"client": "c1", "event": {...}} |
//      {"client": "c1", "result": updates, "channel": id | null}
//
// A TL value is {"_": "inputPeerUser", "user_id": ...}; what JSON cannot hold is {"$int": "..."}
// and {"$bytes": hex}. One process serves many clients. Nothing is judged here.
"use strict";

console.log = console.info = console.warn = console.error; // stdout is the protocol's

const readline = require("node:readline");
const bigInt = require("big-integer");
const { Api, TelegramClient, sessions } = require("telegram");
const { Logger } = require("telegram/extensions/Logger");
const { PromisedNetSockets, PromisedWebSockets } = require("telegram/extensions");
const { EditedMessage } = require("telegram/events/EditedMessage");
const { DeletedMessage } = require("telegram/events/DeletedMessage");
const { NewMessage } = require("telegram/events");
const { _serverKeys } = require("telegram/crypto/RSA");
const connections = require("telegram/network/connection");
const { ConnectionTCPMTProxyAbridged } = require("telegram/network/connection/TCPMTProxy");
const errors = require("telegram/errors");
const updates = require("telegram/client/updates");

const TRANSPORTS = {
  full: connections.ConnectionTCPFull,
  abridged: connections.ConnectionTCPAbridged,
  obfuscated: connections.ConnectionTCPObfuscated,
  websocket: connections.ConnectionTCPObfuscated,
  mtproxy: ConnectionTCPMTProxyAbridged,
};

// Results that tell of pts.
const TELLING = /^(Update|messages\.(Affected|InvitedUsers))/;

const clients = new Map();
const names = new WeakMap();

function write(line) {
  process.stdout.write(JSON.stringify(line) + "\n");
}

// ---------------------------------------------------------------- values

const snake = (name) => name.replace(/[A-Z]/g, (letter) => "_" + letter.toLowerCase());
const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

function lowerFirst(className) {
  const at = className.lastIndexOf(".") + 1;
  return className.slice(0, at) + className[at].toLowerCase() + className.slice(at + 1);
}

function dump(value) {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) return value.map(dump);
  if (Buffer.isBuffer(value)) return { $bytes: value.toString("hex") };
  if (bigInt.isInstance(value) || typeof value === "bigint") return { $int: value.toString() };
  if (typeof value !== "object") return value;
  if (value.className === undefined) throw new Error("cannot dump " + value);
  const dumped = { _: lowerFirst(value.className) };
  for (const [name, field] of Object.entries(value.originalArgs)) {
    if (name !== "flags" && name !== "flags2") dumped[snake(name)] = dump(field);
  }
  return dumped;
}

function classOf(name) {
  const parts = name.split(".");
  const last = parts.pop();
  return parts.reduce((at, part) => at[part], Api)[last[0].toUpperCase() + last.slice(1)];
}

function load(value) {
  if (Array.isArray(value)) return value.map(load);
  if (value === null) return undefined;
  if (typeof value !== "object") return value;
  if (value.$int !== undefined) return bigInt(value.$int);
  if (value.$bytes !== undefined) return Buffer.from(value.$bytes, "hex");
  return build(value._, value);
}

function build(name, fields) {
  const args = {};
  for (const [field, value] of Object.entries(fields)) {
    if (field !== "_") args[camel(field)] = load(value);
  }
  return new (classOf(name))(args);
}

// ---------------------------------------------------------------- clients

// Every push, as it came and before the library looks at it. The client binds this function
// when it connects, so it has to be in place before.
const handleUpdate = updates._handleUpdate;
updates._handleUpdate = function (client, update) {
  if (typeof update.className === "string") write({ client: names.get(client), push: dump(update) });
  return handleUpdate(client, update);
};

// The words of the wire: the library's own classes forget some of them.
const toError = errors.RPCMessageToError;
errors.RPCMessageToError = function (rpcError, request) {
  const error = toError(rpcError, request);
  error.words = { code: rpcError.errorCode, message: rpcError.errorMessage };
  return error;
};

// The channel that a call was about, if it was about one.
function channelOf({ channel, peer }) {
  const id = (channel || {}).channelId || (peer || {}).channelId;
  return id === undefined ? null : Number(id);
}

// GramJS dials port 80 whatever it was told; which DC it means, its session says.
function socketTo(Sockets, host, ports, session) {
  return class extends Sockets {
    connect() {
      return super.connect(ports[session.dcId], host);
    }
  };
}

function waysOf(transport, server, session) {
  if (transport === "mtproxy") {
    const { host: ip, port, secret } = server.mtproxy;
    return { networkSocket: PromisedNetSockets, proxy: { ip, port, secret, MTProxy: true } };
  }
  const Sockets = transport === "websocket" ? PromisedWebSockets : PromisedNetSockets;
  return { networkSocket: socketTo(Sockets, server.host, server.dcs, session) };
}

function message(event, kind) {
  return {
    kind,
    id: event.message.id,
    text: event.message.message,
    out: Boolean(event.message.out),
  };
}

const ops = {
  async open({ client: name, server, transport, session, listen, api_id, api_hash }) {
    _serverKeys.set(server.fingerprint, { n: bigInt(server.n, 16), e: server.e });
    const stored = new sessions.StringSession(session || "");
    if (!session) stored.setDC(server.dc_id, server.host, server.port);
    const client = new TelegramClient(stored, api_id, api_hash, {
      baseLogger: new Logger("none"),
      connection: TRANSPORTS[transport],
      ...waysOf(transport, server, stored),
      connectionRetries: 3,
      retryDelay: 50,
      requestRetries: Object.keys(server.dcs).length, // it counts moving to another DC as one
      deviceModel: "GramJS",
    });
    const invoke = client.invoke.bind(client);
    client.invoke = async (request, ...more) => {
      const result = await invoke(request, ...more);
      if (TELLING.test(result.className)) {
        write({ client: name, result: dump(result), channel: channelOf(request) });
      }
      return result;
    };
    clients.set(name, client);
    names.set(client, name);
    if (listen) ops.listen({ client: name });
    await client.connect();
    if (!client.connected) throw new Error("GramJS did not connect");
    return null;
  },

  async call({ client, method, params }) {
    return dump(await clients.get(client).invoke(build(method, params)));
  },

  async start({ client, phone, code, password, first_name, token }) {
    const onError = async (error) => {
      throw error;
    };
    await clients.get(client).start(
      token
        ? { botAuthToken: token, onError }
        : {
            phoneNumber: phone,
            phoneCode: async () => code,
            password: async () => password,
            firstAndLastNames: async () => [first_name, ""],
            onError,
          }
    );
    return null;
  },

  async start_by_qr({ client: name, password }) {
    const client = clients.get(name);
    await client.signInUserWithQrCode(
      { apiId: client.apiId, apiHash: client.apiHash },
      {
        qrCode: async ({ token }) =>
          write({ client: name, event: { kind: "qr", token: token.toString("hex") } }),
        password: async () => password,
        onError: async (error) => {
          throw error;
        },
      }
    );
    return null;
  },

  async set_password({ client, before, after, hint }) {
    await clients.get(client).updateTwoFaSettings({
      currentPassword: before ?? undefined,
      newPassword: after ?? undefined,
      hint,
    });
    return null;
  },

  async listen({ client: name }) {
    const client = clients.get(name);
    const tell = (event) => write({ client: name, event });
    client.addEventHandler((event) => tell(message(event, "new")), new NewMessage({}));
    client.addEventHandler((event) => tell(message(event, "edited")), new EditedMessage({}));
    client.addEventHandler(
      (event) => tell({ kind: "deleted", ids: event.deletedIds }),
      new DeletedMessage({})
    );
    return null;
  },

  async send({ client, peer, text }) {
    return dump(await clients.get(client).sendMessage(load(peer), { message: text, parseMode: false }));
  },

  async edit({ client, peer, message_id, text }) {
    return dump(await clients.get(client).editMessage(load(peer), { message: message_id, text }));
  },

  async delete({ client, peer, ids }) {
    await clients.get(client).deleteMessages(load(peer), ids, { revoke: true });
    return null;
  },

  async forward({ client, to_peer, ids, from_peer }) {
    return dump(
      await clients
        .get(client)
        .forwardMessages(load(to_peer), { messages: ids, fromPeer: load(from_peer) })
    );
  },

  async pin({ client, peer, message_id, notify }) {
    const sent = await clients.get(client).pinMessage(load(peer), message_id, { notify });
    return sent instanceof Api.MessageService ? dump(sent) : null;
  },

  async unpin({ client, peer, message_id }) {
    return dump(await clients.get(client).unpinMessage(load(peer), message_id));
  },

  async unpin_all({ client, peer }) {
    await clients.get(client).unpinMessage(load(peer));
    return null;
  },

  async members({ client, room }) {
    return (await clients.get(client).getParticipants(load(room), {})).map((user) => Number(user.id));
  },

  async history({ client, peer, limit }) {
    return (await clients.get(client).getMessages(load(peer), { limit })).map(dump);
  },

  async dialogs({ client }) {
    const dialogs = await clients.get(client).getDialogs({});
    return dialogs.map((dialog) => ({
      $dict: {
        id: Number(dialog.id),
        unread: dialog.unreadCount,
        top: dialog.message ? dialog.message.id : null,
      },
    }));
  },

  async save({ client }) {
    return clients.get(client).session.save();
  },

  async close({ client: name }) {
    await clients.get(name).destroy();
    clients.delete(name);
    return null;
  },
};

async function serve(request) {
  try {
    const value = await ops[request.op](request);
    write({ id: request.id, ok: value === undefined ? null : value });
  } catch (error) {
    write({
      id: request.id,
      error: { words: error.words || null, text: String(error.stack || error) },
    });
  }
}

process.on("unhandledRejection", (error) => console.error("unhandled rejection:", error));
readline
  .createInterface({ input: process.stdin })
  .on("line", (line) => serve(JSON.parse(line)))
  .on("close", () => process.exit(0));
