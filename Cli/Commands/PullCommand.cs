using System.CommandLine;
using ImageStore.Cli.Output;
using ImageStore.Engine.Pull;
using ImageStore.Engine.Unpack;
using ImageStore.Store.Oci;

namespace ImageStore.Cli.Commands;

/// <summary><c>pull REF</c>.</summary>
internal static class PullCommand
{
    public static Command Build()
    {
        var reference = new Argument<string>("REF") { Description = "Such as alpine, user/app:1.2 or host:5000/app@sha256:…" };
        var platform = new Option<string>("--platform") { Description = "The platform to take out of an index, such as linux/arm64" };
        var all = new Option<bool>("--all-platforms") { Description = "Take every platform; this machine's is unpacked" };
        var snapshotter = SnapshotterOption.Make();
        var plain = new Option<bool>("--plain-http") { Description = "Plain HTTP; loopback registries get it by themselves" };
        var noUnpack = new Option<bool>("--no-unpack") { Description = "Only store the image" };
        var sync = new Option<bool>("--sync") { Description = "Wait until the unpacked files are on disk too, such as before a shutdown" };
        var policy = new Option<string>("--policy")
        {
            Description = "When the registry is asked: always, only when something is missing, or never", DefaultValueFactory = _ => "always", HelpName = "always|missing|never",
        };
        policy.AcceptOnlyFromAmong("always", "missing", "never");
        var pin = new Option<bool>("--pin") { Description = "Pin the image: it stays when the disk gets full, and until 'images unpin'" };
        var command = new Verb(
            "pull",
            "Pull an image from its registry, verify and unpack it.",
            "imagestore pull alpine",
            "imagestore --root /data/images pull --platform linux/arm64 debian:12",
            "imagestore -n k8s.io pull --policy missing --pin registry.k8s.io/pause:3.10",
            "imagestore pull 127.0.0.1:5000/app:1.2")
        {
            reference, platform, all, snapshotter, plain, noUnpack, sync, policy, pin,
        };
        Session.BindToChanges(command, async (session, root, token) =>
        {
            var request = new PullRequest
            {
                Reference = session.Value(reference),
                Platform = session.Value(platform) is { } text ? Platform.Parse(text) : null,
                AllPlatforms = session.Value(all),
                Snapshotter = session.Value(snapshotter),
                PlainHttp = session.Value(plain),
                Unpack = !session.Value(noUnpack),
                Sync = session.Value(sync),
                Policy = Enum.Parse<PullPolicy>(session.Value(policy)!, ignoreCase: true),
                Pin = session.Value(pin),
            };
            var result = await ProgressLines.WhileAsync(
                session, progress => root.PullAsync(request, progress, token)).ConfigureAwait(false);
            Tell(session, result);
            if (request.Unpack && result.ChainId is null && !Privileges.CanUnpack)
            {
                Console.Error.WriteLine("imagestore: stored, not unpacked: only root may give files the owners that layers name");
            }
        }, makeNamespace: true);
        return command;
    }

    private static void Tell(Session session, PullResult result)
    {
        if (session.Json)
        {
            Json.Write(result, Json.Default.PullResult);
            return;
        }

        Console.Out.WriteLine(result.UpToDate ? $"{result.Name} is up to date" : $"{result.Name} is pulled");
        Console.Out.WriteLine($"digest    {result.Target.Digest}");
        Console.Out.WriteLine($"content   {Path.Combine(session.Root, "content")}");
        if (result.ChainId is { } chainId)
        {
            Console.Out.WriteLine($"snapshot  {chainId} ({result.Snapshotter})");
        }
    }
}
