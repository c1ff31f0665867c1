/** `state.values` of a submitted form, as Slack sends it. */
export type FormValues = Readonly<
  Record<
    string,
    Readonly<
      Record<
        string,
        {
          readonly value?: string | null | undefined
          readonly selected_option?: { readonly value?: string | undefined } | null | undefined
          readonly selected_options?: readonly { readonly value?: string | undefined }[] | null | undefined
        }
      >
    >
  >
>
