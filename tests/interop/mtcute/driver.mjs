// Drives mtcute for the interop tests: JSON lines in, JSON lines out.
//
// The lines are those of gramjs/driver.js, which explains them. Nothing is judged here.

console.log = console.info = console.warn = console.error; // stdout is the protocol's

import readline from "node:readline";
import Long from "long";
import {
  IntermediatePacketCodec,
  ObfuscatedPacketCodec,
  PaddedIntermediatePacketCodec,
  networkMiddlewares,
} from "@mtcute/core";
import {
  BaseTelegramClient,
  MemoryStorage,
  MtProxyTcpTransport,
  TcpTransport,
  TelegramClient,
} from "@mtcute/node";
import { NodeCryptoProvider } from "@mtcute/node/utils.js";
import { parsePublicKey } from "@mtcute/core/utils.js";
import { TlBinaryWriter } from "@mtcute/tl-runtime";

// mtcute looks fingerprints up without their leading zeros, but adds them with these: a key whose
// fingerprint begins with a zero can only be made known in its own table.
const { __publicKeyIndex: publicKeys } = await import(
  new URL("node_modules/@mtcute/core/tl/binary/rsa-keys.js", import.meta.url)
);

const CODECS = {
  intermediate: () => new IntermediatePacketCodec(),
  padded: () => new PaddedIntermediatePacketCodec(),
  obfuscated: () => new ObfuscatedPacketCodec(new PaddedIntermediatePacketCodec()),
};

// Results that tell of pts.
const TELLING = /^(update|messages\.(affected|invitedUsers|chatInviteJoinResult))/;

const clients = new Map();
const stores = new Map();

function write(line) {
  process.stdout.write(JSON.stringify(line) + "\n");
}

// ---------------------------------------------------------------- values

const snake = (name) => name.replace(/[A-Z]/g, (letter) => "_" + letter.toLowerCase());
const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

function dump(value) {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) return value.map(dump);
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("hex") };
  if (Long.isLong(value)) return { $int: value.toString() };
  if (typeof value !== "object") return value;
  const dumped = { _: value._ };
  for (const [name, field] of Object.entries(value)) {
    if (name !== "_") dumped[snake(name)] = dump(field);
  }
  return dumped;
}

function load(value, name = "") {
  if (Array.isArray(value)) return value.map((item) => load(item, name));
  if (value === null) return undefined;
  if (typeof value !== "object") return value;
  if (value.$int !== undefined) {
    return /^(id|.*[a-z]Id|channel|chat|user)$/.test(name) && name !== "randomId"
      ? Number(value.$int)
      : Long.fromString(value.$int);
  }
  if (value.$bytes !== undefined) return new Uint8Array(Buffer.from(value.$bytes, "hex"));
  return build(value._, value);
}

function build(name, fields) {
  const built = { _: name };
  for (const [field, value] of Object.entries(fields)) {
    if (field !== "_") built[camel(field)] = load(value, camel(field));
  }
  return built;
}

// mtcute has two kinds of numbers for TL's one long, and the lines do not say which is meant.
const { int53, long } = TlBinaryWriter.prototype;
TlBinaryWriter.prototype.long = function (value) {
  return long.call(this, typeof value === "number" ? Long.fromNumber(value) : value);
};
TlBinaryWriter.prototype.int53 = function (value) {
  return int53.call(this, Long.isLong(value) ? value.toNumber() : value);
};

// ---------------------------------------------------------------- clients

class Transport extends TcpTransport {
  constructor(codec) {
    super();
    this.packetCodec = CODECS[codec];
  }
}

function transportOf(name, server) {
  if (!name.startsWith("mtproxy")) return new Transport(name);
  const { host, port, secret } = server.mtproxy;
  const secrets = {
    mtproxy: secret,
    "mtproxy dd": `dd${secret}`,
    "mtproxy ee": `ee${secret}${Buffer.from("example.com").toString("hex")}`,
  };
  return new MtProxyTcpTransport({ host, port, secret: secrets[name] });
}

function message(kind, found) {
  return { kind, id: found.id, text: found.text, out: found.isOutgoing };
}

const raw = (found) => (found ? dump(found.raw) : null);

const ops = {
  async open({ client: name, server, transport, session, listen, pfs, api_id, api_hash }) {
    const crypto = new NodeCryptoProvider();
    await crypto.initialize();
    const fingerprint = BigInt.asUintN(64, BigInt(server.fingerprint)).toString(16);
    publicKeys[fingerprint] = parsePublicKey(crypto, server.public_key);
    const dc = { id: server.dc_id, ipAddress: server.host, port: server.port };
    const stored = session ? stores.get(session) : undefined;
    const storage = stored ?? new MemoryStorage();
    stores.set(name, storage);
    const base = new BaseTelegramClient({
      apiId: api_id,
      apiHash: api_hash,
      crypto,
      storage,
      transport: transportOf(transport, server),
      defaultDcs: { main: dc, media: { ...dc, mediaOnly: true } },
      initConnectionOptions: { deviceModel: "mtcute" },
      network: {
        middlewares: networkMiddlewares.basic({ floodWaiter: { maxRetries: 0 } }),
        usePfs: pfs,
      },
      updates: { catchUp: listen },
      logLevel: 1,
    });
    // Every push, as it came and before the library looks at it.
    base.mt.onUpdate.add((push) => write({ client: name, push: dump(push) }));
    const call = base.mt.call.bind(base.mt);
    base.mt.call = async (request, ...more) => {
      const result = await call(request, ...more);
      if (TELLING.test(result?._)) {
        const channel = request.channel?.channelId ?? request.peer?.channelId ?? null;
        write({ client: name, result: dump(result), channel });
      }
      return result;
    };
    const client = new TelegramClient({ client: base });
    client.onError.add((error) => console.error("mtcute:", error));
    clients.set(name, { base, client });
    if (listen) ops.listen({ client: name });
    if (session && !stored) await client.importSession(session);
    await client.connect();
    if (session && (await base.storage.self.fetch())) await client.start();
    return null;
  },

  async call({ client, method, params, dc_id }) {
    const options = dc_id ? { dcId: dc_id, localMigrate: true } : undefined;
    return dump(await clients.get(client).base.call(build(method, params), options));
  },

  async start({ client, phone, code, password, token }) {
    await clients.get(client).client.start(
      token
        ? { botToken: token }
        : { phone, code, password: password ?? undefined, codeSentCallback: () => {} }
    );
    return null;
  },

  async start_by_qr({ client: name, password }) {
    await clients.get(name).client.signInQr({
      onUrlUpdated: (url) => {
        const token = Buffer.from(new URL(url).searchParams.get("token"), "base64url");
        write({ client: name, event: { kind: "qr", token: token.toString("hex") } });
      },
      password: password ?? undefined,
    });
    return null;
  },

  async set_password({ client: name, before, after, hint }) {
    const { client } = clients.get(name);
    if (before === null) await client.enableCloudPassword({ password: after, hint });
    else if (after === null) await client.removeCloudPassword(before);
    else await client.changeCloudPassword({ currentPassword: before, newPassword: after, hint });
    return null;
  },

  async listen({ client: name }) {
    const { client } = clients.get(name);
    const tell = (event) => write({ client: name, event });
    client.onNewMessage.add((found) => tell(message("new", found)));
    client.onEditMessage.add((found) => tell(message("edited", found)));
    client.onDeleteMessage.add((found) => tell({ kind: "deleted", ids: found.messageIds }));
    return null;
  },

  async send({ client, peer, text }) {
    return raw(await clients.get(client).client.sendText(load(peer), text));
  },

  async edit({ client, peer, message_id, text }) {
    return raw(
      await clients.get(client).client.editMessage({ chatId: load(peer), message: message_id, text })
    );
  },

  async delete({ client, peer, ids }) {
    await clients.get(client).client.deleteMessagesById(load(peer), ids, { revoke: true });
    return null;
  },

  async forward({ client, to_peer, ids, from_peer }) {
    const forwarded = await clients.get(client).client.forwardMessagesById({
      toChatId: load(to_peer),
      fromChatId: load(from_peer),
      messages: ids,
    });
    return forwarded.map(raw);
  },

  async pin({ client, peer, message_id, notify }) {
    return raw(
      await clients
        .get(client)
        .client.pinMessage({ chatId: load(peer), message: message_id, notify, bothSides: true })
    );
  },

  async unpin({ client, peer, message_id }) {
    await clients.get(client).client.unpinMessage({ chatId: load(peer), message: message_id });
    return null;
  },

  async unpin_all({ client, peer }) {
    await clients.get(client).client.unpinAllMessages(load(peer));
    return null;
  },

  async make({ client: name, kind, title, members }) {
    const { client } = clients.get(name);
    if (kind === "group") {
      return (await client.createGroup({ title, users: members.map((user) => load(user)) })).chat.raw.id;
    }
    const made =
      kind === "channel" ? client.createChannel({ title }) : client.createSupergroup({ title });
    return (await made).raw.id;
  },

  async invite({ client, room, user }) {
    await clients.get(client).client.addChatMembers(load(room), load(user), {});
    return null;
  },

  async join({ client, room }) {
    await clients.get(client).client.joinChat(load(room));
    return null;
  },

  async part({ client, room }) {
    await clients.get(client).client.leaveChat(load(room));
    return null;
  },

  async promote({ client, room, user, rights }) {
    await clients.get(client).client.editAdminRights({
      chatId: load(room),
      userId: load(user),
      rights: Object.fromEntries(rights.map((right) => [camel(right), true])),
    });
    return null;
  },

  async ban({ client, room, user }) {
    await clients
      .get(client)
      .client.banChatMember({ chatId: load(room), participantId: load(user) });
    return null;
  },

  async members({ client, room }) {
    return (await clients.get(client).client.getChatMembers(load(room))).map(
      (member) => member.user.id
    );
  },

  async history({ client, peer, limit }) {
    return (await clients.get(client).client.getHistory(load(peer), { limit })).map(raw);
  },

  async dialogs({ client }) {
    const dialogs = [];
    for await (const dialog of clients.get(client).client.iterDialogs()) {
      dialogs.push({
        $dict: {
          id: dialog.peer.id,
          unread: dialog.unreadCount,
          top: dialog.lastMessage ? dialog.lastMessage.id : null,
        },
      });
    }
    return dialogs;
  },

  async save({ client }) {
    return client; // the storage stays here
  },

  async export({ client }) {
    return clients.get(client).client.exportSession();
  },

  async close({ client: name }) {
    const { client } = clients.get(name);
    clients.delete(name);
    await client.destroy();
    return null;
  },
};

// The words of the wire: the library's errors keep numbers apart from them, and start() has words
// of its own for a wrong password.
function words(error) {
  if (error.message === "Provided password was invalid") {
    return { code: 400, message: "PASSWORD_HASH_INVALID" };
  }
  const said = /^Telegram API error (-?\d+): (.*)$/.exec(error.message ?? "");
  return said && { code: Number(said[1]), message: said[2] };
}

async function serve(request) {
  try {
    const value = await ops[request.op](request);
    write({ id: request.id, ok: value === undefined ? null : value });
  } catch (error) {
    write({ id: request.id, error: { words: words(error), text: String(error.stack || error) } });
  }
}

process.on("unhandledRejection", (error) => console.error("unhandled rejection:", error));
readline
  .createInterface({ input: process.stdin })
  .on("line", (line) => serve(JSON.parse(line)))
  .on("close", () => process.exit(0));
