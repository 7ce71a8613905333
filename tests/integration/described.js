// Holds every answer that a test gets against the API's own description (/api/openapi.json): the status, the media type,
// the headers, and of JSON each member, where nothing may be missing or be there undescribed. harness.js passes every
// answer of fetch through `described.check`, so that all integration tests together prove the description.
import { execFileSync } from 'node:child_process';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const CHECKED_BYTES_MAX = 4 << 20;
// What `default` stands for where the errors are our own; all others are listed one by one.
const OTHER_FAILURES = [408, 413, 415, 429, 500, 502, 504, 507];
const HEADERS = /^(etag|link|retry-after|retry-after-ms|www-authenticate|set-cookie|content-disposition|(x|anthropic)-ratelimit-.*|x-maestro-(?!trace-id).*)$/;

const servers = new Set(); // "http://127.0.0.1:12345"
const seen = new Set(); // "GET /admin/users 200"
const faults = [];
let doc, ajv, routes;

/**
 * A copy for the validator: objects have the members that are named and no other, unless they say so; and schemas refer to each other by
 * their names alone, so that each is compiled when it is first met.
 */
function closed(schema) {
  if (Array.isArray(schema)) return schema.map(closed);
  if (!schema || typeof schema !== 'object') return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  if (typeof copy.$ref === 'string') copy.$ref = copy.$ref.replace('#/components/schemas/', 'schema:');
  if (copy.type === 'object' && copy.properties && !('additionalProperties' in copy)) copy.additionalProperties = false;
  return copy;
}

function load() {
  doc = JSON.parse(execFileSync(process.env.MAESTRO_BIN, ['check', '--write-openapi'], { maxBuffer: 64 << 20 }));
  ajv = new Ajv2020({ strict: false, validateSchema: false });
  addFormats(ajv);
  for (const [name, schema] of Object.entries(doc.components.schemas)) ajv.addSchema(closed(schema), `schema:${name}`);
  routes = Object.entries(doc.paths).map(([path, item]) => {
    const names = [...path.matchAll(/\{[^}]+\}/g)].length;
    let at = 0;
    const pattern = path.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]+\}/g, () => (++at < names ? '[^/]+' : '.+'));
    return { path, item, pattern: new RegExp(`^${pattern}$`), literal: path.replace(/\{[^}]+\}/g, '').length };
  }).sort((a, b) => b.literal - a.literal);
}

const validators = new Map(); // by the schema, as it is in the document
function mismatch(schema, value) {
  if (!validators.has(schema)) validators.set(schema, ajv.compile(closed(schema)));
  const check = validators.get(schema);
  return check(value) ? undefined : check.errors.map((e) => `${e.instancePath || '/'} ${e.message} ${JSON.stringify(e.params)}`).join('; ');
}

function find(method, path) {
  if (!doc) load();
  return routes.find((r) => r.item[method.toLowerCase()] && r.pattern.test(path));
}

/** The response of that status; undefined: it is not described. */
function responseOf(op, status) {
  const isOurs = op.responses['401'] || op.responses['404'];
  const isNamed = op.responses[status] || !isOurs || OTHER_FAILURES.includes(status);
  const response = isNamed ? op.responses[status] ?? op.responses.default : undefined;
  return response?.$ref ? doc.components.responses[response.$ref.split('/').pop()] : response;
}

async function faultOf(method, url, init, reply) {
  const route = find(method, url.pathname);
  const isOther = reply.status === 405; // the path is of another operation
  if (!route || isOther || !['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].includes(method)) return undefined;
  const op = route.item[method.toLowerCase()];
  const response = responseOf(op, reply.status);
  if (!response) return `status ${reply.status}`;
  for (const [name] of reply.headers) {
    const [family] = /^(x|anthropic)-ratelimit-/.exec(name) ?? [name]; // a provider's pass through
    const isNamed = Object.keys(response.headers ?? {}).some((h) => h.toLowerCase().startsWith(family));
    if (HEADERS.test(name) && !isNamed) return `header ${name}`;
  }
  const media = reply.headers.get('content-type')?.split(';')[0];
  const length = Number(reply.headers.get('content-length') ?? NaN);
  if (media && length !== 0 && !response.content?.[media]) return `type ${media}`;
  if (media !== 'application/json' || !(length > 0 && length < CHECKED_BYTES_MAX)) {
    seen.add(`${method} ${route.path} ${reply.status}`);
    return undefined;
  }
  const body = JSON.parse(await reply.clone().text());
  const wrong = mismatch(response.content[media].schema, body);
  if (wrong) return `${wrong} in ${JSON.stringify(body).slice(0, 1000)}`;
  seen.add(`${method} ${route.path} ${reply.status}`);
  if (reply.ok && typeof init?.body === 'string' && init.body && op.requestBody) {
    const sent = mismatch(op.requestBody.content[media].schema, JSON.parse(init.body));
    if (sent) return `${sent} of what was sent and taken: ${init.body.slice(0, 1000)}`;
  }
  return undefined;
}

export const described = {
  /** What is wrong with an answer; undefined: nothing. */
  faultOf,
  /** All that is described: {method, path}. */
  operations() {
    if (!doc) load();
    return Object.entries(doc.paths).flatMap(([path, item]) => Object.keys(item).map((m) => ({ method: m.toUpperCase(), path })));
  },
  watch: (url) => servers.add(url),
  /** What was answered as it is described: "GET /admin/users 200". */
  seen,
  /** What was not; the harness fails the file with them. */
  faults,
  async check(input, init, reply) {
    const text = typeof input === 'string' ? input : input?.href;
    if (!text || !servers.has(text.split('/').slice(0, 3).join('/'))) return;
    const method = (init?.method ?? 'GET').toUpperCase();
    const fault = await faultOf(method, new URL(text), init, reply);
    if (fault) faults.push(`${method} ${new URL(text).pathname}: ${reply.status}: ${fault}`);
  },
};
