// What has to stand before the example so that it talks to a server of our own: the address, the
// server's key, and the two names which the example leaves to its reader.
const {apiId, apiHash} = (() => {
  const server = JSON.parse(process.env.RADIOGRAM_SERVER);
  const {PromisedNetSockets} = require("telegram/extensions");
  const connect = PromisedNetSockets.prototype.connect;
  PromisedNetSockets.prototype.connect = function () {
    return connect.call(this, server.port, server.host);
  };
  const n = require("big-integer")(server.n, 16);
  require("telegram/crypto/RSA")._serverKeys.set(server.fingerprint, {n, e: server.e});
  return server;
})();
