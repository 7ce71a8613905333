// The AI SDK with Anthropic's and Google's APIs, to a provider of every type: sdk/scenarios.js says what its programs must see.
import { aiVendorClients } from './sdk/clients_ai.js';
import { matrix } from './sdk/matrix.js';

matrix(aiVendorClients);
