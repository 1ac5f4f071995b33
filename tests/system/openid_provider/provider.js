// A certified OpenID provider (npm: oidc-provider) for the tests: who its people are comes as JSON on the command
// line. It signs in whoever is named, and insists on PKCE. A new start is a new signing key.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { Provider } from "oidc-provider";

const { port, client, people } = JSON.parse(process.argv[2]);

const jwk = (type, options, alg) => ({ ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }), alg, use: "sig" });
const provider = new Provider(`http://localhost:${port}`, {
  clients: [client],
  cookies: { keys: [randomBytes(16).toString("hex")] },
  jwks: { keys: [jwk("rsa", { modulusLength: 2048 }, "RS256")] },
  pkce: { required: () => true },
  acrValues: ["loa2", "loa3"],
  claims: { openid: ["sub"], profile: ["name", "groups", "clinic", "commissions"], acr: null, auth_time: null, iss: null, sid: null },
  features: { devInteractions: { enabled: false }, userinfo: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  interactions: { url: (_, { uid }) => `/interaction/${uid}` },
  findAccount: (_, sub) => people[sub] && { accountId: sub, claims: () => ({ sub, ...people[sub].claims }) },
  // Consent is not what is tested: whoever signs in agrees.
  loadExistingGrant: async ({ oidc }) => {
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope("openid profile");
    await grant.save();
    return grant;
  },
});

const FORM = '<!doctype html><title>Provider</title><form method="post">'
  + '<input id="login" name="login" autofocus><button id="go">Sign in</button><button id="stop" name="stop" value="1">Cancel</button></form>';

async function body(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return new URLSearchParams(text);
}

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith("/interaction/")) return next();
  if (ctx.method === "GET") {
    ctx.type = "html";
    ctx.body = FORM;
    return undefined;
  }
  const form = await body(ctx.req);
  const person = people[form.get("login")];
  const result = form.get("stop") || !person
    ? { error: "access_denied", error_description: "somebody pressed cancel" }
    : { login: { accountId: form.get("login"), acr: person.acr } };
  await provider.interactionFinished(ctx.req, ctx.res, result);
  ctx.respond = false;
  return undefined;
});

provider.listen(port, "127.0.0.1", () => console.log("ready"));
