using System.CommandLine;
using ImageStore.Cli.Output;
using ImageStore.Store.Metadata;

namespace ImageStore.Cli.Commands;

/// <summary><c>info</c>.</summary>
internal static class InfoCommand
{
    public static Command Build()
    {
        var command = new Verb(
            "info",
            "Show the root, its sizes and the versions.",
            "imagestore info");
        Session.Bind(command, MetadataAccess.ReadOnly, (session, engine, _) =>
        {
            var info = engine.Info();
            if (session.Json)
            {
                Json.Write(info, Json.Default.StoreInfo);
                return Task.CompletedTask;
            }

            var version = typeof(InfoCommand).Assembly.GetName().Version?.ToString(3);
            Console.Out.WriteLine($"version     {version} (.NET {Environment.Version})");
            Console.Out.WriteLine($"root        {info.Root}");
            Console.Out.WriteLine($"namespace   {info.Namespace} (of {info.Namespaces.Count})");
            Console.Out.WriteLine($"images      {info.Images}");
            Console.Out.WriteLine($"blobs       {info.Blobs}, {Sizes.Of(info.BlobBytes)}");
            Console.Out.WriteLine($"unfinished  {info.Ingests}");
            return Task.CompletedTask;
        });
        return command;
    }
}
