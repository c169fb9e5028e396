// Asks a person by the official TypeScript client, and prints what is answered.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { ORKESTRA_MCP_URL, ORKESTRA_API_KEY, CLIENT_HOME, GENERATION } = process.env;
const isModern = GENERATION === "2026-07-28";
const found = createRequire(`${CLIENT_HOME}/package.json`);
const load = (name) => import(pathToFileURL(found.resolve(`@modelcontextprotocol/sdk/${name}.js`)));
const sdk = isModern
  ? found("@modelcontextprotocol/client")
  : { ...(await load("client/index")), ...(await load("client/streamableHttp")) };

const options = isModern ? { versionNegotiation: { mode: { pin: GENERATION } } } : {};
const client = new sdk.Client({ name: "typescript", version: "1.0.0" }, options);
const headers = { Authorization: `Bearer ${ORKESTRA_API_KEY}` };
const transport = new sdk.StreamableHTTPClientTransport(new URL(ORKESTRA_MCP_URL), { requestInit: { headers } });
await client.connect(transport);

const { tools } = await client.listTools();
const { resourceTemplates } = await client.listResourceTemplates();
const { prompts } = await client.listPrompts();
const progress = [];
const question = { question: "May it go back?", groups: ["support-l1"], wait_seconds: 50 };
const patience = { timeout: 60_000, onprogress: (one) => progress.push(one.message) };
const asked = await client.callTool({ name: "ask_human", arguments: question }, ...(isModern ? [] : [undefined]), patience);
const task = asked.structuredContent;
const again = await client.callTool({ name: "task_get", arguments: { task_id: task.task_id } });
const read = await client.readResource({ uri: `orkestra://tasks/${task.task_id}` });
const refused = await client.callTool({ name: "task_get", arguments: { task_id: "task_nobodys" } });
const server = client.getServerVersion().name;
const version = isModern ? client.getNegotiatedProtocolVersion() : transport.protocolVersion;
await client.close();

console.log(
  JSON.stringify({
    version,
    server,
    tools: tools.map((tool) => tool.name),
    templates: resourceTemplates.length,
    prompts: prompts.map((prompt) => prompt.name),
    progress,
    answer: task.result,
    again: again.structuredContent.result,
    resource: JSON.parse(read.contents[0].text).status,
    refused: [refused.isError, refused.content[0].text],
  }),
);
