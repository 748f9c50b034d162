using ImageStore.Runtime.Protocol.Runc;

namespace ImageStore.Shim.Oci;

/// <summary>Where CRIU's files of a container are, and what is done with what a checkpoint cannot hold.</summary>
/// <param name="Image">The folder of the checkpoint.</param>
/// <param name="Work">The folder of CRIU's logs.</param>
/// <param name="Parent">A former checkpoint of which it has the changes only, or empty.</param>
internal sealed record Checkpoint(string Image, string Work, string Parent)
{
    /// <summary>How it is made; null where one is restored.</summary>
    public CheckpointOptions? Making { get; init; }

    /// <summary>The arguments of <c>checkpoint</c> and <c>restore</c>.</summary>
    public IEnumerable<string> Arguments()
    {
        foreach (var (name, value) in ((string, string)[])[("--image-path", Image), ("--work-path", Work), ("--parent-path", Parent)])
        {
            if (value.Length > 0)
            {
                yield return name;
                yield return value;
            }
        }

        if (Making is null)
        {
            yield break;
        }

        foreach (var (name, isAsked) in ((string, bool)[])
        [
            ("--tcp-established", Making.OpenTcp), ("--ext-unix-sk", Making.ExternalUnixSockets), ("--shell-job", Making.Terminal),
            ("--file-locks", Making.FileLocks), ("--leave-running", !Making.Exit),
        ])
        {
            if (isAsked)
            {
                yield return name;
            }
        }

        foreach (var name in Making.EmptyNamespaces)
        {
            yield return "--empty-ns";
            yield return name;
        }

        if (Making.CgroupsMode.Length > 0)
        {
            yield return "--manage-cgroups-mode";
            yield return Making.CgroupsMode;
        }
    }
}
