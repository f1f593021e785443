import { testConfig } from '@multi-image/testing/vitest-config';

export default testConfig;
