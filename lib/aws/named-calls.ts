/** What of a client of the AWS SDK is needed to see its calls. */
interface Client {
  readonly middlewareStack: {
    add(
      middleware: (
        next: (args: never) => Promise<unknown>,
        context: { readonly commandName?: string },
      ) => (args: never) => Promise<unknown>,
      options: { readonly step: 'initialize'; readonly name: string },
    ): void;
  };
}

/** Has every error of the client say which call it came from: AWS itself says "Rate exceeded", and nothing else. */
export function namingCalls<C>(client: C & { readonly middlewareStack: unknown }): C {
  (client as Client).middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        try {
          return await next(args);
        } catch (error) {
          const call = commandName.replace(/Command$/, '');
          if (error instanceof Error && !error.message.includes(call)) error.message = `${call}: ${error.message}`;
          throw error;
        }
      },
    { step: 'initialize', name: 'namingCalls' },
  );
  return client;
}
