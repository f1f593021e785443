/** The options of every verb that say how registries are reached. */
export const REGISTRY_HELP: string = `\
  --plain-http          reach registries without TLS; those on loopback always are
  --ca-file <file>      certificate authorities (PEM) to trust beside the usual ones
  --auth-file <file>    credentials, in place of docker's and podman's own files`;
