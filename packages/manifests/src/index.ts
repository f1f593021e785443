export { type Chain, type Image, resolveChain } from './chain/chain.ts';
export { type Retarget, retarget } from './chain/retarget.ts';
export { type CheckedConfig, type ConfigIssue, checkConfig, configJsonSchema } from './config/check.ts';
export { defineConfig } from './config/define.ts';
export { type LoadedConfig, loadConfig } from './config/load.ts';
export type { ChainConfig, Check, ImageConfig } from './config/schema.ts';
export { ManifestsError, type ManifestsErrorCode } from './errors.ts';
export { type Pins, readPins } from './pins/pins.ts';
export { type RenderedFile, render } from './render/render.ts';
