// The vendors' own SDKs through the gateway to a provider of every type: sdk/scenarios.js says what they must see.
import { vendorClients } from './sdk/clients.js';
import { matrix } from './sdk/matrix.js';

matrix(vendorClients);
