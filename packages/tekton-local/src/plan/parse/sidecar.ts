import type { Probe, Sidecar } from '../model.ts';
import type { Field } from '../yaml/field.ts';
import { parseContainer, parseSecurity } from './container.ts';

const FIELDS =
  'name image imagePullPolicy command args script env envFrom workingDir volumeMounts securityContext computeResources ' +
  'workspaces ports readinessProbe startupProbe terminationMessagePath terminationMessagePolicy restartPolicy';

const SECOND = 1000;

/** Reads one of a Task's sidecars. */
export function parseSidecar(field: Field, index: number): Sidecar {
  field.only(FIELDS, {
    livenessProbe: 'a sidecar is not started again',
    lifecycle: 'a sidecar has no hooks',
    volumeDevices: 'there are no block devices on this machine',
    stdin: 'a sidecar reads nothing',
    stdinOnce: 'a sidecar reads nothing',
    tty: 'a sidecar has no terminal',
  });
  const none = field.get('stepTemplate');
  const probe = field.get('readinessProbe').present ? field.get('readinessProbe') : field.get('startupProbe');
  return {
    ...parseContainer(field),
    name: field.get('name').text() || `unnamed-${index}`,
    security: parseSecurity(field.get('securityContext'), none),
    ready: probe.present ? parseProbe(probe) : undefined,
  };
}

function parseProbe(probe: Field): Probe | undefined {
  probe.only(
    'exec httpGet tcpSocket initialDelaySeconds periodSeconds timeoutSeconds successThreshold failureThreshold',
    { grpc: 'is not supported' },
  );
  const seconds = (key: string, otherwise: number): number => (probe.get(key).integer() ?? otherwise) * SECOND;
  const check = parseCheck(probe);
  if (check === undefined) return undefined;
  const [delay, period, timeout] = [
    seconds('initialDelaySeconds', 0),
    seconds('periodSeconds', 10),
    seconds('timeoutSeconds', 1),
  ];
  return { check, delay, period: Math.max(period, SECOND), timeout: Math.max(timeout, SECOND) };
}

function parseCheck(probe: Field): Probe['check'] | undefined {
  if (probe.get('exec').present) return { kind: 'command', command: probe.get('exec', 'command').strings() ?? [] };
  const http = probe.get('httpGet');
  const where = http.present ? http : probe.get('tcpSocket');
  if (!where.present) return undefined;
  const host = where.get('host').text() || '127.0.0.1';
  const port = String(where.get('port').value);
  if (!/^\d+$/.test(port)) where.get('port').unsupported('is supported as a number alone');
  if (!http.present) return { kind: 'port', host, port };
  const [path, scheme] = [http.get('path').text() || '/', http.get('scheme').text() || 'HTTP'];
  return { kind: 'http', host, port, path, scheme: scheme.toLowerCase() };
}
