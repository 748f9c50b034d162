using System.CommandLine;
using ImageStore.Cli.Demo;

namespace ImageStore.Cli.Commands;

/// <summary><c>demo</c>.</summary>
internal static class DemoCommand
{
    private const string Repository = "demo/hello";
    private const string Tag = "1.0";

    public static Command Build()
    {
        var keep = new Option<bool>("--keep") { Description = "Leave the root, and say where it is" };
        var command = new Verb(
            "demo",
            "Show what the store does: make a small image, serve it from a loopback registry, pull, list and mount it.",
            "imagestore demo",
            "imagestore demo --keep")
        {
            keep,
        };
        Session.Bind(command, async (session, token) =>
        {
            var registry = new DemoRegistry(new DemoImage(Repository, Tag).Documents);
            await using var serving = registry.ConfigureAwait(false);
            var work = Directory.CreateTempSubdirectory("imagestore-demo-");
            try
            {
                var reference = $"{registry.Host}/{Repository}:{Tag}";
                Console.Out.WriteLine($"A small image of two layers is served from a registry in this process: {reference}\n");
                await new DemoSteps(work.FullName, reference, token).RunAsync().ConfigureAwait(false);
            }
            finally
            {
                End(work, session.Value(keep));
            }
        });
        return command;
    }

    private static void End(DirectoryInfo work, bool keep)
    {
        if (keep)
        {
            Console.Out.WriteLine($"Everything is still there: imagestore --root {work.FullName}/root images ls");
            return;
        }

        work.Delete(recursive: true);
        Console.Out.WriteLine("That was all; what the demo made is removed (--keep leaves it).");
    }
}
