using System.CommandLine;
using ImageStore.Cli.Output;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;

namespace ImageStore.Cli.Commands;

/// <summary><c>hosts explain REF</c>.</summary>
internal static class HostsCommand
{
    public static Command Build() => new("hosts", "Look at what is configured for registries.") { Explain() };

    private static Verb Explain()
    {
        var reference = new Argument<string>("REF") { Description = "Such as alpine or registry.example.com/app" };
        var plain = PlainHttpOption.Make();
        var command = new Verb(
            "explain",
            "Show which hosts would be asked for an image, in which order, and with which credentials. Nothing is sent.",
            "imagestore hosts explain alpine",
            "IMAGESTORE_HOSTS_DIR=/etc/containerd/certs.d imagestore hosts explain registry.example.com/app")
        {
            reference, plain,
        };
        Session.Bind(command, async (session, token) =>
        {
            var registry = RegistryClients.Make(session, session.Value(plain));
            await using var closing = registry.ConfigureAwait(false);
            var hosts = await registry.ExplainAsync(ImageReference.Parse(session.Value(reference)), token).ConfigureAwait(false);
            if (session.Json)
            {
                Json.Write(hosts, Json.Default.IReadOnlyListHostExplanation);
                return;
            }

            for (var i = 0; i < hosts.Count; i++)
            {
                var host = hosts[i];
                Console.Out.WriteLine($"{i + 1}. {Printable.Of(host.Address)}  ({host.Kind})");
                Console.Out.WriteLine($"   asked to     {string.Join(", ", host.Capabilities)}");
                Console.Out.WriteLine($"   security     {Printable.Of(host.Tls)}");
                Console.Out.WriteLine($"   credentials  {Printable.Of(host.Credential)}");
                if (host.Headers.Count > 0)
                {
                    Console.Out.WriteLine($"   headers      {Printable.Of(string.Join(", ", host.Headers))}");
                }

                Console.Out.WriteLine($"   configured   {Printable.Of(host.ConfiguredAt ?? "nowhere: the default")}");
            }
        });
        return command;
    }
}
