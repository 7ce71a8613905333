// The AI SDK with what speaks OpenAI's APIs, to a provider of every type: sdk/scenarios.js says what its programs must see.
import { aiOpenaiClients } from './sdk/clients_ai.js';
import { matrix } from './sdk/matrix.js';

matrix(aiOpenaiClients);
