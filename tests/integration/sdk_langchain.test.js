// LangChain through the gateway to a provider of every type: sdk/scenarios.js says what its programs must see.
import { langchainClients } from './sdk/clients_langchain.js';
import { matrix } from './sdk/matrix.js';

matrix(langchainClients);
