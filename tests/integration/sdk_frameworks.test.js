// The AI SDK and LangChain through the gateway to a provider of every type: sdk/scenarios.js says what they must see.
import { aiClients } from './sdk/clients_ai.js';
import { langchainClients } from './sdk/clients_langchain.js';
import { matrix } from './sdk/matrix.js';

matrix([...aiClients, ...langchainClients]);
