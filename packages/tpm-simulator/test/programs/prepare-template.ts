/** Prepares a state template in the cache named by the environment and says where it is. */
import { prepareStateTemplate } from '@endorse/tpm-simulator';

const template = await prepareStateTemplate({ cacheDirectory: process.env['TEMPLATE_CACHE'] });
console.log(JSON.stringify(template.directory));
