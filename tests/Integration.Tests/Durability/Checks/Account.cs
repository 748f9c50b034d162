using ImageStore.Integration.Tests.Durability.Disk;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>Who runs the program: us, or somebody without privileges, whom permissions bind.</summary>
/// <param name="Program">Where the program is for him.</param>
/// <param name="Prefix">What stands before a command line so that it runs as him.</param>
/// <param name="Owner">Whose his files are, as <c>uid:gid</c>.</param>
/// <param name="Unpacks">Whether he may unpack layers and mount.</param>
internal sealed record Account(string Program, IReadOnlyList<string> Prefix, string Owner, bool Unpacks)
{
    private const string Nobody = "65534";

    public static Account Self { get; } = new(ImageStoreCli.Binary, [], Kernel.Owner, Environment.IsPrivilegedProcess);

    /// <summary>Somebody else, for whom the program is copied to where he may read it.</summary>
    public static Account SomebodyElse(Scratch scratch)
    {
        Run.NeedRoot();
        Run.Need("setpriv");
        var binary = File.ResolveLinkTarget(ImageStoreCli.Binary, returnFinalTarget: true)?.FullName ?? ImageStoreCli.Binary;
        var folder = scratch.NewFolder("program");
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(binary)!))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        return new Account(
            Path.Combine(folder, Path.GetFileName(binary)),
            ["setpriv", "--reuid", Nobody, "--regid", Nobody, "--clear-groups", "--"],
            $"{Nobody}:{Nobody}",
            Unpacks: false);
    }
}
