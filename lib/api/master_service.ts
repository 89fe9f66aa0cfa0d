/** The service behind which the API server is; every pod is told of it. */
export const MASTER = { namespace: "default", name: "kubernetes" };
