// Anthropic's, Google's and Ollama's SDKs through the gateway to a provider of every type: sdk/scenarios.js says what their
// programs must see.
import { anthropicClients } from './sdk/clients_anthropic.js';
import { googleClients } from './sdk/clients_google.js';
import { ollamaClients } from './sdk/clients_ollama.js';
import { matrix } from './sdk/matrix.js';

matrix([...anthropicClients, ...googleClients, ...ollamaClients]);
