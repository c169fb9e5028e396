// Asks a person by the official TypeScript client, and prints what is answered.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { ORKESTRA_MCP_URL, ORKESTRA_API_KEY, CLIENT_HOME } = process.env;
const found = createRequire(`${CLIENT_HOME}/package.json`);
const load = (name) => import(pathToFileURL(found.resolve(`@modelcontextprotocol/sdk/client/${name}.js`)));
const { Client } = await load("index");
const { StreamableHTTPClientTransport } = await load("streamableHttp");
const types = await import(pathToFileURL(found.resolve("@modelcontextprotocol/sdk/types.js")));

const client = new Client({ name: "typescript", version: "1.0.0" });
const headers = { Authorization: `Bearer ${ORKESTRA_API_KEY}` };
await client.connect(new StreamableHTTPClientTransport(new URL(ORKESTRA_MCP_URL), { requestInit: { headers } }));

const { tools } = await client.listTools();
const { resourceTemplates } = await client.listResourceTemplates();
const { prompts } = await client.listPrompts();
const progress = [];
const asked = await client.callTool(
  { name: "ask_human", arguments: { question: "May it go back?", groups: ["support-l1"], wait_seconds: 50 } },
  undefined,
  { timeout: 60_000, onprogress: (one) => progress.push(one.message) },
);
const task = asked.structuredContent;
const again = await client.callTool({ name: "task_get", arguments: { task_id: task.task_id } });
const read = await client.readResource({ uri: `orkestra://tasks/${task.task_id}` });
const refused = await client.callTool({ name: "task_get", arguments: { task_id: "task_nobodys" } });
await client.close();

console.log(
  JSON.stringify({
    newest: types.LATEST_PROTOCOL_VERSION,
    server: client.getServerVersion().name,
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
