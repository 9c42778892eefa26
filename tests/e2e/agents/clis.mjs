// The agents: how each is started with nothing but a base URL, what its tools are called, and where its last word is.
//
// `start` gives the arguments, the environment and the files below the home folder; `calls` the steps of the script for the
// model; `result` what the agent printed: { text, input } with the input tokens it counted; `cut` is false for an agent that
// may give up when a stream is cut.

import { join } from 'node:path';

const KEY = 'sk-any';
const PROMPT = 'Look at note.txt and write the word that it gives into made.txt.';
const SIZE = 'wc -c < note.txt > size.txt; cat size.txt';
const lines = (out) => out.split('\n').filter((l) => l.startsWith('{')).map((l) => JSON.parse(l));
const patch = (text) => `*** Begin Patch\n*** Add File: made.txt\n${text.replace(/^(?=.)/gm, '+')}*** End Patch\n`;

const codex = {
  agent: 'codex',
  dialect: 'responses',
  start: (url, { model }) => ({
    args: ['exec', '--json', '--skip-git-repo-check', '--sandbox', 'danger-full-access', PROMPT],
    env: { TRIGLOT_KEY: KEY },
    files: {
      '.codex/config.toml': `
        model = "${model}"
        model_provider = "triglot"
        approval_policy = "never"
        check_for_update_on_startup = false
        analytics.enabled = false
        feedback.enabled = false
        features.plugins = false
        features.apps = false
        [model_providers.triglot]
        name = "Triglot"
        base_url = "${url}/v1"
        wire_api = "responses"
        env_key = "TRIGLOT_KEY"
      `.replace(/^ +/gm, ''),
    },
  }),
  result: (out) => {
    const events = lines(out);
    const said = events.filter((e) => e.type === 'item.completed' && e.item.type === 'agent_message');
    return { text: said.at(-1)?.item.text, input: events.findLast((e) => e.type === 'turn.completed')?.usage.input_tokens };
  },
};

const opencode = {
  agent: 'opencode',
  start: (url, { sdk }) => ({
    args: ['run', '--format', 'json', '--auto', PROMPT],
    env: {
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
    },
    files: {
      '.config/opencode/opencode.json': JSON.stringify({
        autoupdate: false,
        share: 'disabled',
        model: 'triglot/scripted',
        provider: {
          triglot: {
            npm: sdk,
            name: 'Triglot',
            options: { baseURL: `${url}/v1`, apiKey: KEY },
            models: {
              scripted: {
                name: 'Scripted', reasoning: true, tool_call: true, attachment: true, modalities: { input: ['text', 'image'], output: ['text'] },
                limit: { context: 100000, output: 8000 },
              },
            },
          },
        },
      }),
    },
  }),
  calls: (dir, made) => [
    [
      { tool: 'read', args: { filePath: join(dir, 'note.txt') } },
      { tool: 'bash', args: { command: SIZE, description: 'Counts the bytes of a file' } },
    ],
    [{ tool: 'read', args: { filePath: join(dir, 'square.png') } }],
    (said) => [{ tool: 'write', args: { filePath: join(dir, 'made.txt'), content: made(said) } }],
  ],
  result: (out) => {
    const events = lines(out);
    const sum = (step) => step.tokens.input + step.tokens.cache.read + step.tokens.cache.write;
    return { text: events.findLast((e) => e.type === 'text')?.part.text, input: sum(events.findLast((e) => e.type === 'step_finish').part) };
  },
};

export const CLIS = [
  {
    ...codex,
    name: 'codex',
    model: 'gpt-5.5',
    calls: (dir, made) => [
      [
        { tool: 'exec_command', args: { cmd: 'cat note.txt' } },
        { tool: 'exec_command', args: { cmd: SIZE } },
      ],
      [{ tool: 'view_image', args: { path: join(dir, 'square.png') } }],
      (said) => [{ tool: 'apply_patch', input: patch(made(said)) }],
    ],
  },
  {
    ...codex,
    name: 'codex in its code mode',
    model: 'gpt-6.1-sol',
    calls: (dir, made) => [
      [{ tool: 'functions__exec', input: `const all = await Promise.all(${JSON.stringify(['cat note.txt', SIZE])}.map((cmd) => tools.exec_command({ cmd })));\ntext(all.map((r) => r.output).join(""));\n` }],
      [{ tool: 'functions__exec', input: `image((await tools.view_image({ path: ${JSON.stringify(join(dir, 'square.png'))} })).image_url);\n` }],
      (said) => [{ tool: 'functions__exec', input: `text(await tools.apply_patch(${JSON.stringify(patch(made(said)))}));\n` }],
    ],
  },
  {
    agent: 'claude',
    name: 'claude',
    dialect: 'messages',
    start: (url) => ({
      args: ['-p', PROMPT, '--output-format', 'json', '--allowedTools', 'Bash,Read,Write'],
      env: {
        ANTHROPIC_BASE_URL: url,
        ANTHROPIC_AUTH_TOKEN: KEY,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
        DISABLE_TELEMETRY: '1',
        DISABLE_ERROR_REPORTING: '1',
      },
    }),
    calls: (dir, made) => [
      [
        { tool: 'Read', args: { file_path: join(dir, 'note.txt') } },
        { tool: 'Bash', args: { command: SIZE, description: 'Count the bytes of a file' } },
      ],
      [{ tool: 'Read', args: { file_path: join(dir, 'square.png') } }],
      (said) => [{ tool: 'Write', args: { file_path: join(dir, 'made.txt'), content: made(said) } }],
    ],
    result: (out) => {
      const { result, usage } = JSON.parse(out);
      return { text: result, input: usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens };
    },
  },
  { ...opencode, name: 'opencode by Chat', dialect: 'chat', sdk: '@ai-sdk/openai-compatible' },
  { ...opencode, name: 'opencode by Responses', dialect: 'responses', sdk: '@ai-sdk/openai' },
  // With this SDK it tries a cut stream again only when the error comes alone or its words are on a list of its own.
  { ...opencode, name: 'opencode by Messages', dialect: 'messages', sdk: '@ai-sdk/anthropic', cut: false },
];
