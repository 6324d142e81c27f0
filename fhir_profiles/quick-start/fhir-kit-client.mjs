// A referral and back, with fhir-kit-client 2 and Node 20.
//   URL=http://127.0.0.1:8080 CLIENT=mijn-his KEY=key.pem OTHER=token-of-the-coach node fhir-kit-client.mjs
// KEY: RSA, of which the public half is registered under CLIENT with kid "rsa-1".
import assert from 'node:assert';
import { createSign, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as kit from 'fhir-kit-client';

const Client = kit.default ?? kit.Client;
const { URL: base, CLIENT: client, KEY: key, OTHER: coach } = process.env;
const json = async (path, how) => (await fetch(path, how)).json();

// 1. A token, for an assertion that is good once.
const { token_endpoint: endpoint } = await json(`${base}/fhir/.well-known/smart-configuration`);
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const exp = Math.floor(Date.now() / 1000) + 240;
const said = [
  part({ alg: 'RS384', typ: 'JWT', kid: 'rsa-1' }),
  part({ iss: client, sub: client, aud: endpoint, exp, jti: randomUUID() }),
].join('.');
const signature = createSign('RSA-SHA384').update(said).sign(readFileSync(key)).toString('base64url');
const { access_token: token } = await json(endpoint, {
  method: 'POST',
  body: new URLSearchParams({
    grant_type: 'client_credentials',
    scope: 'system/*.cruds',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: `${said}.${signature}`,
  }),
});
const speaking = (bearer) => {
  const made = new Client({ baseUrl: `${base}/fhir` });
  made.bearerToken = bearer;
  return made;
};
const own = speaking(token);
const other = speaking(coach);
assert.equal((await own.capabilityStatement()).fhirVersion, '4.0.1');

// 2. A referral under a number of your own.
const referral = await json(`${base}/guide/files/examples/referral-welzijn-op-recept.json`);
referral.entry[1].resource.identifier[0].value = randomUUID();
const answer = await own.transaction({ body: referral });
const place = answer.entry.map((each) => each.response.location).find((each) => each.startsWith('Task/'));
const task = { resourceType: 'Task', id: place.split('/')[1] };

// 3. The other side works on it: what may happen now, and then what happened.
const found = await other.search({ resourceType: 'Task', searchParams: { status: 'requested', _id: task.id } });
assert.equal(found.entry.length, 1);
const next = await other.operation({ ...task, name: '$next', method: 'GET' });
assert(JSON.stringify(next).includes('aannemen'));
const happened = (...given) => other.operation({
  ...task,
  name: '$event',
  input: { resourceType: 'Parameters', parameter: given.map(([name, valueString]) => ({ name, valueString })) },
});
await other.patch({ ...task, jsonPatch: [{ op: 'replace', path: '/status', value: 'accepted' }] });
await happened(['event', 'eerste contact']);
await happened(['event', 'kennismaking gehouden']);
await happened(['event', 'afronden'], ['terugkoppeling', 'Gaat elke week wandelen.']);

// 4. You read what came of it. (A Subscription tells you of each change: see What you can rely on.)
const ended = await own.read(task);
assert.equal(ended.status, 'completed');
console.log(ended.output.find((each) => each.valueString).valueString);
