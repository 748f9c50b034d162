using ImageStore.Cli.Commands;
using ImageStore.Engine.Unpack;
using ImageStore.Store.Errors;

namespace ImageStore.Cli.Demo;

/// <summary>The tour: each step says what it does and what a user would type, and then runs exactly that.</summary>
internal sealed class DemoSteps(string directory, string reference, CancellationToken cancellationToken)
{
    private readonly string _root = Path.Combine(directory, "root");
    private readonly string _target = Path.Combine(directory, "mnt");

    public async Task RunAsync()
    {
        await StepAsync("Pull resolves the name, checks every byte against its digest, and unpacks while it downloads.", "pull", reference)
            .ConfigureAwait(false);
        await StepAsync("A repeat asks the registry once, and finds that nothing is left to do.", "pull", reference)
            .ConfigureAwait(false);
        await StepAsync("The image now has a name,", "images", "ls").ConfigureAwait(false);
        await StepAsync("its blobs lie in the content store,", "content", "ls").ConfigureAwait(false);
        if (Privileges.CanUnpack)
        {
            await StepAsync("and each unpacked layer is a snapshot that stands on the one below it.", "snapshots", "tree")
                .ConfigureAwait(false);
        }

        await MountAsync().ConfigureAwait(false);
        await StepAsync("In figures:", "info").ConfigureAwait(false);
    }

    private async Task MountAsync()
    {
        Directory.CreateDirectory(_target);
        if (!Privileges.CanUnpack || !Privileges.CanMount)
        {
            Say("Mounting is left out: the kernel lets only root unpack and mount. As root, this shows the files:");
            Say($"$ imagestore mount {reference} DIR");
            Say(string.Empty);
            return;
        }

        try
        {
            await StepAsync("Mount shows both layers as one tree, read-only.", "mount", reference, _target).ConfigureAwait(false);
        }
        catch (ImageStoreException failure)
        {
            Say($"Mounting is left out here: {failure.Message}");
            Say(string.Empty);
            return;
        }

        try
        {
            Say("The upper layer's etc/motd is seen, and tmp/scratch, which it deletes, is not:");
            Say($"$ find {_target} -type f");
            foreach (var file in Directory.EnumerateFiles(_target, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                Say(file);
            }

            Say($"$ cat {Path.Combine(_target, "etc/motd")}");
            Say(await File.ReadAllTextAsync(Path.Combine(_target, "etc/motd"), cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            await StepAsync("Unmount ends it.", CancellationToken.None, "unmount", _target).ConfigureAwait(false);
        }
    }

    private Task StepAsync(string what, params string[] verb) => StepAsync(what, cancellationToken, verb);

    private async Task StepAsync(string what, CancellationToken token, params string[] verb)
    {
        Say(what);
        Say($"$ imagestore --root {_root} {string.Join(' ', verb)}");
        var parsed = CommandTree.Build().Parse(["--root", _root, .. verb], CommandLine.Parsing);
        await parsed.InvokeAsync(CommandLine.Invocation, token).ConfigureAwait(false);
        Say(string.Empty);
    }

    private static void Say(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }
}
