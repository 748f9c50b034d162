using System.CommandLine;
using ImageStore.Cli.Output;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;

namespace ImageStore.Cli.Commands;

/// <summary><c>login</c> and <c>logout</c>.</summary>
internal static class LoginCommand
{
    public static Command BuildLogin()
    {
        var registry = RegistryArgument();
        var user = new Option<string>("--username", "-u") { Description = "The name; asked for at a terminal when left out", HelpName = "NAME" };
        var fromInput = new Option<bool>("--password-stdin") { Description = "Read the password or token from standard input" };
        var plain = PlainHttpOption.Make();
        var command = new Verb(
            "login",
            "Check credentials at a registry, and keep them where docker does: in its config.json or its credential helper.",
            "imagestore login registry.example.com",
            "pass registry | imagestore login -u me --password-stdin registry.example.com:5000")
        {
            registry, user, fromInput, plain,
        };
        Session.Bind(command, async (session, token) =>
        {
            var (name, secret) = session.Value(fromInput)
                ? (session.Value(user) ?? throw Missing("--username"), SecretInput.FromStandardInput())
                : SecretInput.Ask(session.Value(user));
            var client = RegistryClients.Make(session, session.Value(plain));
            await using var closing = client.ConfigureAwait(false);
            var result = await client.LoginAsync(session.Value(registry), name, secret, token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(result, Json.Default.LoginResult);
                return;
            }

            Console.Out.WriteLine($"logged in to {Printable.Of(result.Registry)}; kept in {Printable.Of(result.KeptIn)}");
            if (!result.Verified)
            {
                Console.Error.WriteLine("imagestore: the registry asks nobody for credentials, so these could not be checked");
            }
        });
        return command;
    }

    public static Command BuildLogout()
    {
        var registry = RegistryArgument();
        var command = new Verb(
            "logout",
            "Forget the credentials for a registry, wherever docker and podman keep them.",
            "imagestore logout registry.example.com",
            "imagestore logout")
        {
            registry,
        };
        Session.Bind(command, async (session, token) =>
        {
            var name = session.Value(registry);
            var client = RegistryClients.Make(session, plainHttp: false);
            await using var closing = client.ConfigureAwait(false);
            var had = await client.LogoutAsync(name, token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(had, Json.Default.IReadOnlyListString);
                return;
            }

            foreach (var file in had)
            {
                Console.Out.WriteLine($"logged out of {Printable.Of(name)}: removed from {Printable.Of(file)}");
            }

            if (had.Count == 0)
            {
                Console.Out.WriteLine($"not logged in to {Printable.Of(name)}");
            }
        });
        return command;
    }

    private static Argument<string> RegistryArgument() => new("REGISTRY")
    {
        Description = "HOST or HOST:PORT", DefaultValueFactory = _ => ImageReference.DefaultRegistry, Arity = ArgumentArity.ZeroOrOne,
    };

    private static ImageStoreException Missing(string option) => new(
        ErrorKind.InvalidArgument, "The password comes from standard input, so the name cannot be asked for.", $"Give it with {option}.");
}
