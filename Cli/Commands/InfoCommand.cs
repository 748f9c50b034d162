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

            Console.Out.WriteLine($"version     {info.Version} (.NET {info.Runtime})");
            Console.Out.WriteLine($"root        {info.Root}, {Sizes.Of(info.FreeBytes)} free");
            Console.Out.WriteLine($"namespace   {info.Namespace} (of {info.Namespaces.Count})");
            Console.Out.WriteLine($"images      {info.Images}");
            Console.Out.WriteLine($"blobs       {info.Blobs}, {Sizes.Of(info.BlobBytes)}");
            Console.Out.WriteLine($"unfinished  {info.Ingests}, {Sizes.Of(info.IngestBytes)}");
            Console.Out.WriteLine($"snapshots   {string.Join(", ", info.Snapshots.Select(pair => $"{pair.Key} {pair.Value}"))}");
            return Task.CompletedTask;
        });
        return command;
    }
}
