// OpenAI's SDK through the gateway to a provider of every type: sdk/scenarios.js says what its programs must see.
import { openaiClients } from './sdk/clients_openai.js';
import { matrix } from './sdk/matrix.js';

matrix(openaiClients);
