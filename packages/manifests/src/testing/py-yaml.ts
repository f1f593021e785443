import { execFileSync, spawnSync } from 'node:child_process';

/** Whether this machine has the parser that Python and, by descent, Kubernetes use. */
export const hasPyYaml: boolean = spawnSync('python3', ['-c', 'import yaml']).status === 0;

const READ = `
import json, sys, yaml
print(json.dumps(list(yaml.safe_load_all(sys.stdin.buffer.read().decode("utf-8")))))
`;

/** The documents of a text as PyYAML reads them: a second opinion on what YAML 1.1 is. */
export function readWithPyYaml(text: string): unknown[] {
  return JSON.parse(execFileSync('python3', ['-c', READ], { input: text, encoding: 'utf8', maxBuffer: 1e8 }));
}
